// A contract with a little history, and helpers that send what a check wants.

import { contracts, hex, join0x, until, word } from '../judge.mjs'

const GWEI = 1_000_000_000n

export async function stage(lib) {
  const chainId = BigInt(await lib.send('eth_chainId', []))
  const set = { chainId, fees, submit, mine, nonce, receipt, code: contracts().Probe.bytecode }

  async function fees() {
    const block = await lib.send('eth_getBlockByNumber', ['latest', false])
    return { maxPriorityFeePerGas: GWEI, maxFeePerGas: BigInt(block.baseFeePerGas) * 2n + GWEI }
  }

  async function nonce(of = lib.accounts[0], tag = 'pending') {
    return Number(await lib.send('eth_getTransactionCount', [of.address, tag]))
  }

  /** Sends a transaction of type 2 unless `fields` says otherwise; its hash. */
  async function submit(fields, of = lib.accounts[0]) {
    const { maxFeePerGas, maxPriorityFeePerGas } = await fees()
    const type = fields.type ?? 2
    const price = type === 2 ? { maxFeePerGas, maxPriorityFeePerGas } : { gasPrice: maxFeePerGas }
    const whole = { type, chainId, value: 0n, data: '0x', gas: 200_000n, ...price, ...fields }
    whole.nonce ??= await nonce(of)
    return lib.send('eth_sendRawTransaction', [await of.sign(whole)])
  }

  async function receipt(hash) {
    return until(`the receipt of ${hash}`, () => lib.send('eth_getTransactionReceipt', [hash]))
  }

  async function mine(fields, of) {
    return receipt(await submit(fields, of))
  }

  set.birthNonce = await nonce()
  set.birth = await mine({ data: join0x(set.code, word(7)), value: 5n, gas: 3_000_000n })
  set.probe = set.birth.contractAddress
  set.first = await mine({ to: set.probe, data: lib.call('store', [1, 11, 'one']) })
  set.second = await mine({ to: set.probe, data: lib.call('store', [2, 22, 'two']) })
  set.both = await mine({ to: set.probe, data: lib.call('twice', [3, 33]) })
  set.paid = await mine({ to: set.probe, data: lib.call('pay', []), value: 1000n })
  set.last = await mine({ to: set.probe, data: lib.call('store', [1, 111, 'again']) })
  /** `eth_call` of Probe; what it answers, decoded. */
  set.ask = async (name, args, tag = 'latest', ...more) => {
    const call = { to: set.probe, data: lib.call(name, args) }
    return lib.read(name, await lib.send('eth_call', [call, tag, ...more]))
  }
  set.before = (receipt) => hex(BigInt(receipt.blockNumber) - 1n)
  return set
}
