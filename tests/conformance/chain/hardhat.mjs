// Hardhat 2 as a judge: node hardhat.mjs HTTP WS
//
// A project with a network `purlin` and the accounts of a development chain: Hardhat fills in what a transaction lacks, signs
// it, and gives ethers its provider, as its plugins do. Nothing is compiled here; setup has done that.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check, contracts, equal, finish, FOLDER, hex, holds, HTTP, library, MNEMONIC, refusal, rpc, until } from './judge.mjs'

// Below the installation: Hardhat refuses projects that it is not installed in.
const folder = mkdtempSync(join(FOLDER, 'hardhat-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const accounts = { mnemonic: MNEMONIC, count: 3 }
const networks = {
  purlin: { url: HTTP, accounts },
  // All that it does not find out by itself.
  spelled: { url: HTTP, accounts, chainId: Number(await rpc('eth_chainId')), gas: 100_000, gasPrice: 20_000_000_000 },
  other: { url: HTTP, accounts, chainId: 4_242 },
}
const config = join(folder, 'hardhat.config.cjs')
writeFileSync(config, `module.exports = ${JSON.stringify({ networks })}`)
Object.assign(process.env, { HARDHAT_CONFIG: config, HARDHAT_NETWORK: 'purlin', HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' })

const hre = library('hardhat')
const ethers = library('ethers')
const { Probe } = contracts()
const purlin = hre.network.provider
const ask = (method, ...params) => purlin.request({ method, params })
const [first, second] = await ask('eth_accounts')
const to = ethers.Wallet.createRandom().address

/** Hardhat's own command line, as a project calls it. */
const hardhat = (network, script) => {
  const file = join(folder, 'script.cjs')
  writeFileSync(file, script)
  const program = join(FOLDER, 'node_modules', 'hardhat', 'internal', 'cli', 'bootstrap.js')
  const words = [program, '--config', config, '--network', network, 'run', '--no-compile', file]
  return promisify(execFile)(process.execPath, words, { cwd: folder, timeout: 30_000, env: { ...process.env, HARDHAT_NETWORK: network } })
}

const mined = (hash) => until('a receipt', () => ask('eth_getTransactionReceipt', hash))

await check('hardhat: the accounts are those of its configuration', async () => {
  const wanted = [0, 1, 2].map((n) => ethers.HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${n}`).address.toLowerCase())
  equal(await ask('eth_accounts'), wanted)
  equal(hre.network.name, 'purlin')
})
await check('hardhat: what a transaction lacks is filled in, and it is signed', async () => {
  const hash = await ask('eth_sendTransaction', { from: first, to, value: '0x7' })
  const receipt = await mined(hash)
  equal([receipt.status, receipt.gasUsed], ['0x1', hex(21_000)])
  const sent = await ask('eth_getTransactionByHash', hash)
  equal([sent.type, sent.from, sent.value], ['0x2', first, '0x7'])
  equal(await ask('eth_getBalance', to, 'latest'), '0x7')
})
await check('hardhat: transactions one after the other get nonces in a row', async () => {
  const before = Number(await ask('eth_getTransactionCount', second, 'pending'))
  const hashes = []
  for (let n = 0; n < 5; n += 1) hashes.push(await ask('eth_sendTransaction', { from: second, to, value: '0x1' }))
  for (const hash of hashes) equal((await mined(hash)).status, '0x1')
  equal(Number(await ask('eth_getTransactionCount', second, 'latest')), before + 5)
})

const browser = new ethers.BrowserProvider(purlin, undefined, { cacheTimeout: -1, pollingInterval: 100 })
const signer = await browser.getSigner(first)
const probe = await new ethers.ContractFactory(Probe.abi, Probe.bytecode, signer).deploy(7, { value: 5 })
await probe.waitForDeployment()

await check('hardhat: a contract is deployed, called and heard', async () => {
  equal(await probe.value(), 7)
  const receipt = await (await probe.store(3, 33, 'hardhat')).wait()
  equal([receipt.status, await probe.table(3)], [1, 33])
  const [event] = await probe.queryFilter(probe.filters.Stored(first), receipt.blockNumber)
  equal(event.args.toArray().slice(1), [3, 33, 'hardhat'])
})
await check('hardhat: a refusal comes with its words and its octets', async () => {
  const words = await refusal(ask('eth_call', { from: first, to: await probe.getAddress(), data: probe.interface.encodeFunctionData('complain') }, 'latest'))
  holds(words.message.includes('not today'), words.message)
  const refused = await refusal(probe.refuse(42))
  equal([refused.revert?.name, ...(refused.revert?.args ?? [])], ['Refused', 42, 'as asked'])
})
await check('hardhat: what would fail is not sent', async () => {
  const before = await ask('eth_getTransactionCount', first, 'pending')
  const data = probe.interface.encodeFunctionData('storeAndComplain', [1])
  const error = await refusal(ask('eth_sendTransaction', { from: first, to: await probe.getAddress(), data }))
  holds(error.message.includes('not today'), error.message)
  equal(await ask('eth_getTransactionCount', first, 'pending'), before)
})
await check('hardhat: messages are signed and recovered', async () => {
  const signature = await ask('personal_sign', '0x1234', first)
  equal(ethers.verifyMessage(ethers.getBytes('0x1234'), signature).toLowerCase(), first)
})
await check('hardhat run: a script asks and sends with a gas price and a limit of the configuration', async () => {
  const script = `
    const hre = require('hardhat')
    const ask = (method, ...params) => hre.network.provider.request({ method, params })
    async function main() {
      const [from] = await ask('eth_accounts')
      const hash = await ask('eth_sendTransaction', { from, to: '${to}', value: '0x2' })
      const sent = await ask('eth_getTransactionByHash', hash)
      console.log(JSON.stringify([hre.network.name, sent.type, Number(sent.gas), Number(sent.gasPrice), hash]))
    }
    main().catch((error) => { console.error(error); process.exitCode = 1 })`
  const { stdout } = await hardhat('spelled', script)
  const [name, type, gas, price, hash] = JSON.parse(stdout)
  equal([name, type, gas, price], ['spelled', '0x0', 100_000, 20_000_000_000])
  equal((await mined(hash)).status, '0x1')
})
await check('hardhat run: another chain than the configured one is seen', async () => {
  const script = `require('hardhat').network.provider.request({ method: 'eth_blockNumber' }).catch((error) => console.log(error.message))`
  const { stdout } = await hardhat('other', script)
  holds(stdout.includes('HH101') && stdout.includes('4242'), stdout)
})

finish()
