// What the judges written in JavaScript share: where their libraries are, checks with names, the bare wire.
//
//   node ethers.mjs http://127.0.0.1:8545 ws://127.0.0.1:8546
//
// A judge prints `ok NAME`, `not ok NAME: why` or `skip NAME: why` for each check and `N passed, N failed` at the end; it
// exits with 1 when a check failed. `cargo xtask setup` has installed the libraries into target/judges, or JUDGES says where
// they are.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

export const FOLDER = process.env.JUDGES ?? fileURLToPath(new URL('../../../target/judges', import.meta.url))
const require = createRequire(join(FOLDER, 'package.json'))

/** How long a check may take, in milliseconds. */
const LIMIT = 40_000

/** A library of package.json. */
export const library = (name) => require(name)

/** Address of JSON-RPC over HTTP, and of that over WebSocket. */
export const [HTTP, WS] = process.argv.slice(2)

/** The accounts that development chains share: m/44'/60'/0'/0/N of this sentence. */
export const MNEMONIC = 'test test test test test test test test test test test junk'

/** What setup compiled. */
export const contracts = () => JSON.parse(readFileSync(join(FOLDER, 'Probe.json'), 'utf8'))

const tally = { passed: 0, failed: 0 }
let asked

/** Whom we judge. Some reasons to leave a check out are anvil's alone. */
async function isAnvil() {
  asked ??= rpc('web3_clientVersion', []).then((name) => name.startsWith('anvil'))
  return asked
}

/**
 * Runs one check. `anvil` is the reason why anvil, against which the judges were tried, cannot pass it; STRICT=1 asks it all
 * the same. ONLY=words runs those checks alone whose names have the words.
 */
export async function check(name, run, { anvil } = {}) {
  const wanted = process.env.ONLY
  if (wanted && !name.includes(wanted)) return
  if (anvil && !process.env.STRICT && (await isAnvil())) {
    console.log(`skip ${name}: anvil: ${anvil}`)
    return
  }
  let timer
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${LIMIT / 1000} s`)), LIMIT)
  })
  try {
    await Promise.race([run(), limit])
    tally.passed += 1
    console.log(`ok ${name}`)
  } catch (error) {
    tally.failed += 1
    console.log(`not ok ${name}: ${oneLine(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

// What goes wrong between the checks is a failure with a name too.
process.on('uncaughtException', (error) => {
  console.log(`not ok the judge came to its end: ${oneLine(error)}`)
  process.exit(1)
})

/** The sum, and the end of the program: open sockets of a library do not keep it. */
export function finish() {
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1)
}

function oneLine(error) {
  const text = String(error?.shortMessage ?? error?.message ?? error)
  const where = String(error?.stack ?? '').match(/([a-z]+\.mjs:\d+)/)?.[1]
  return `${text.replaceAll(/\s+/g, ' ').slice(0, 400)}${where ? ` (${where})` : ''}`
}

/** Deep equality, with numbers of any kind compared as numbers. */
export function equal(found, wanted, what = 'value') {
  const [a, b] = [plain(found), plain(wanted)]
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`)
}

export function holds(condition, what) {
  if (!condition) throw new Error(`it does not hold: ${what}`)
}

function plain(value) {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return Number(inner) <= Number.MAX_SAFE_INTEGER ? Number(inner) : inner.toString()
    return inner
  })
}

/** Whatever is posted, and the parsed answer. */
export async function post(body, headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(HTTP, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  })
  return { status: answer.status, headers: answer.headers, json: JSON.parse(await answer.text()) }
}

/** A request without any library. */
export async function rpc(method, params = []) {
  const { json } = await post({ jsonrpc: '2.0', id: 1, method, params })
  if (json.error) throw Object.assign(new Error(json.error.message), json.error)
  return json.result
}

/** The error that a promise must end in, as the node said it: code, message, data. */
export async function refusal(promise, fault = (error) => error) {
  let result
  try {
    result = await promise
  } catch (error) {
    return fault(error)
  }
  throw new Error(`it was not refused, but answered ${plain(result)?.slice(0, 200)}`)
}

/** Asks again until there is an answer: blocks may take a second. */
export async function until(what, ask, limit = 20_000) {
  const end = Date.now() + limit
  for (;;) {
    const found = await ask()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export const hex = (number) => `0x${BigInt(number).toString(16)}`
export const word = (number) => `0x${BigInt(number).toString(16).padStart(64, '0')}`
export const join0x = (...parts) => `0x${parts.map((part) => part.replace(/^0x/, '')).join('')}`
