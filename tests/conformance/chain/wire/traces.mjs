// debug_trace*: step by step, as calls, as state before and after.

import { check, equal, holds, refusal, word } from '../judge.mjs'

export async function traces(lib, set) {
  const { send } = lib
  const { probe, both, first, paid } = set
  const trace = (receipt, options = {}) => send('debug_traceTransaction', [receipt.transactionHash, options])
  const lower = (text) => text.toLowerCase()

  await check('a trace shows every step', async () => {
    const { gas, failed, structLogs, returnValue } = await trace(first)
    equal([BigInt(gas), failed], [BigInt(first.gasUsed), false])
    equal(returnValue.replace(/^0x/, ''), '')
    holds(structLogs.length > 100, `${structLogs.length} steps`)
    const [{ pc, op, depth, gasCost }] = structLogs
    equal([pc, op, depth, gasCost], [0, 'PUSH1', 1, 3])
    equal(structLogs.at(-1).op, 'STOP')
    equal(structLogs.filter((step) => step.op === 'SSTORE').length, 2)
    equal(structLogs.filter((step) => step.op === 'LOG3').length, 1)
  })
  await check('a trace leaves out what is not wanted', async () => {
    const { structLogs } = await trace(first, { disableStack: true, disableStorage: true })
    holds(structLogs.length > 0, 'there are steps')
    holds(structLogs.every((step) => !step.stack && !step.storage), 'neither stack nor storage')
  })
  await check('callTracer shows the frames below a frame', async () => {
    const top = await trace(both, { tracer: 'callTracer' })
    equal([top.type, lower(top.from), lower(top.to)], ['CALL', lower(lib.accounts[0].address), lower(probe)])
    equal([BigInt(top.gasUsed), top.input, top.value], [BigInt(both.gasUsed), lib.call('twice', [3, 33]), '0x0'])
    const inner = top.calls.map((call) => [call.type, lower(call.from), lower(call.to), call.input])
    equal(inner, [
      ['CALL', lower(probe), lower(probe), lib.call('store', [3, 33, 'first'])],
      ['CALL', lower(probe), lower(probe), lib.call('store', [4, 33, 'second'])],
    ])
  })
  await check('callTracer shows the top alone, or the logs too', async () => {
    const top = await trace(both, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } })
    equal(top.calls ?? [], [])
    const whole = await trace(both, { tracer: 'callTracer', tracerConfig: { withLog: true } })
    equal(whole.calls.map((call) => call.logs.length), [1, 1])
    equal(whole.calls[0].logs[0].topics, both.logs[0].topics)
  })
  await check('callTracer says why a call failed', async () => {
    const receipt = await set.mine({ to: probe, data: lib.call('refuse', [5]) })
    const top = await trace(receipt, { tracer: 'callTracer' })
    equal(top.error, 'execution reverted')
    equal(lib.error('Refused', top.output), [5, 'as asked'])
  })
  await check('callTracer shows a creation', async () => {
    const salt = word((await set.nonce()) + 500_000)
    const receipt = await set.mine({ to: probe, data: lib.call('make', [salt, 1]), gas: 500_000n })
    const { calls } = await trace(receipt, { tracer: 'callTracer' })
    equal([calls.length, calls[0].type], [1, 'CREATE2'])
    equal(lower(lib.address(calls[0].to)), lower(lib.address((await set.ask('where', [salt, 1]))[0])))
  })
  await check('prestateTracer shows what was there before', async () => {
    const state = await trace(paid, { tracer: 'prestateTracer' })
    const entry = (address) => Object.entries(state).find(([each]) => lower(each) === lower(address))[1]
    equal(BigInt(entry(probe).balance), 5)
    equal(entry(probe).code, await send('eth_getCode', [probe, 'latest']))
    equal(entry(lib.accounts[0].address).balance, await send('eth_getBalance', [lib.accounts[0].address, set.before(paid)]))
    const slots = await trace(set.last, { tracer: 'prestateTracer' })
    const [, own] = Object.entries(slots).find(([each]) => lower(each) === lower(probe))
    equal([own.storage[word(0)], own.storage[lib.slot(1)]], [word(33), word(11)])
  })
  await check('prestateTracer shows the difference', async () => {
    const { pre, post } = await trace(set.last, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } })
    const of = (side) => Object.entries(side).find(([each]) => lower(each) === lower(probe))[1].storage
    equal([of(pre)[word(0)], of(post)[word(0)]], [word(33), word(111)])
  })
  await check('a call is traced without being sent', async () => {
    const call = { from: lib.accounts[0].address, to: probe, data: lib.call('twice', [1, 2]) }
    const top = await send('debug_traceCall', [call, 'latest', { tracer: 'callTracer' }])
    equal(top.calls.length, 2)
    equal(await set.ask('value', []), [111])
  })
  await check('a block is traced, one result a transaction', async () => {
    const all = await send('debug_traceBlockByNumber', [first.blockNumber, { tracer: 'callTracer' }])
    const { transactions } = await send('eth_getBlockByNumber', [first.blockNumber, false])
    equal(all.map((one) => one.txHash), transactions)
    const one = all.find(({ txHash }) => txHash === first.transactionHash).result
    equal(one, await trace(first, { tracer: 'callTracer' }))
    equal(await send('debug_traceBlockByHash', [first.blockHash, { tracer: 'callTracer' }]), all)
  })
  await check('an unknown transaction cannot be traced', async () => {
    const fault = await refusal(send('debug_traceTransaction', [word(0xabcdef), {}]), lib.fault)
    holds(/not found/i.test(fault.message), fault.message)
  }, { anvil: 'it answers an empty trace' })
}
