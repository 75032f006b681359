// Calls that change nothing: reasons of failures, overrides, estimates, access lists, simulations.

import { check, equal, hex, holds, join0x, refusal, word } from '../judge.mjs'

const STRANGER = `0x${'00'.repeat(18)}beef`

export async function calls(lib, set) {
  const { send } = lib
  const { probe, first } = set
  const [account] = lib.accounts
  const failing = (name, args, method = 'eth_call') =>
    refusal(send(method, [{ from: account.address, to: probe, data: lib.call(name, args) }, 'latest']), lib.fault)

  await check('a refusal in words comes with code 3, the words and their ABI', async () => {
    const fault = await failing('complain', [])
    equal(fault.code, 3)
    holds(fault.message.includes('execution reverted') && fault.message.includes('not today'), fault.message)
    equal(fault.data.slice(0, 10), '0x08c379a0')
    equal(fault.data.length, 2 + 8 + 3 * 64)
  })
  await check('a custom error comes as its data', async () => {
    const fault = await failing('refuse', [42])
    equal(fault.code, 3)
    equal(lib.error('Refused', fault.data), [42, 'as asked'])
  })
  await check('a panic comes as its data', async () => {
    const fault = await failing('divide', [1, 0])
    equal([fault.code, fault.data], [3, join0x('0x4e487b71', word(0x12))])
  })
  await check('an estimate of what fails says why', async () => {
    const fault = await failing('refuse', [7], 'eth_estimateGas')
    equal(fault.code, 3)
    equal(lib.error('Refused', fault.data), [7, 'as asked'])
  })
  await check('a call without a sender, of nobody and of nothing', async () => {
    equal(await set.ask('divide', [84, 2]), [42])
    equal(await send('eth_call', [{ to: STRANGER, data: '0x1234' }, 'latest']), '0x')
    const [, , , , sender] = await set.ask('surroundings', [])
    equal(BigInt(sender), 0)
  })
  await check('`input` means `data`', async () => {
    const call = { to: probe, input: lib.call('divide', [84, 2]) }
    equal(lib.read('divide', await send('eth_call', [call, 'latest'])), [42])
  })
  await check('a call may create: its answer is the code', async () => {
    const data = join0x(set.code, word(1))
    equal(await send('eth_call', [{ data }, 'latest']), await send('eth_getCode', [probe, 'latest']))
  })
  await check('a call cannot spend what the sender does not have', async () => {
    const call = { from: STRANGER, to: probe, value: hex(10n ** 24n) }
    const fault = await refusal(send('eth_call', [call, 'latest']), lib.fault)
    holds(/insufficient (funds|balance)/i.test(fault.message), fault.message)
  })
  await check('a call with too little gas fails', async () => {
    const call = { to: probe, data: lib.call('burn', [100_000]), gas: hex(50_000) }
    const fault = await refusal(send('eth_call', [call, 'latest']), lib.fault)
    holds(/out ?of ?gas/i.test(fault.message), fault.message)
  })
  await check('a plain transfer is estimated at 21,000', async () => {
    equal(await send('eth_estimateGas', [{ from: account.address, to: STRANGER, value: '0x1' }]), '0x5208')
  })
  await check('a transaction with just the estimated gas succeeds', async () => {
    const data = lib.call('store', [(await set.nonce()) + 1000, 5, 'estimated'])
    const gas = BigInt(await send('eth_estimateGas', [{ from: account.address, to: probe, data }, 'latest']))
    const receipt = await set.mine({ to: probe, data, gas })
    equal(receipt.status, '0x1')
    holds(gas <= (BigInt(receipt.gasUsed) * 3n) / 2n, `${gas} estimated, ${receipt.gasUsed} used`)
    await set.mine({ to: probe, data: lib.call('store', [1, 111, 'as it was']) })
  })
  await check('state overrides: balance, nonce, code', async () => {
    const rich = { [STRANGER]: { balance: hex(10n ** 24n) } }
    await send('eth_call', [{ from: STRANGER, to: probe, value: hex(10n ** 23n) }, 'latest', rich])
    // PUSH1 42, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN
    const code = { [STRANGER]: { code: '0x602a60005260206000f3' } }
    equal(await send('eth_call', [{ to: STRANGER }, 'latest', code]), word(42))
    equal(await send('eth_call', [{ to: STRANGER }, 'latest']), '0x')
  })
  await check('state overrides: some slots, or all of them', async () => {
    const diff = { [probe]: { stateDiff: { [word(0)]: word(77) } } }
    equal(await set.ask('value', [], 'latest', diff), [77])
    equal(await set.ask('table', [2], 'latest', diff), [22])
    const state = { [probe]: { state: { [word(0)]: word(78) } } }
    equal(await set.ask('value', [], 'latest', state), [78])
    equal(await set.ask('table', [2], 'latest', state), [0])
    equal(await set.ask('value', []), [111])
  })
  await check('overrides of the block', async () => {
    const [number, time] = await set.ask('surroundings', [], 'latest', {}, { number: '0x7b', time: '0x1ffffffff' })
    equal([number, time], [123, 0x1ffffffff])
  })
  await check('an access list names the slots that a call touches', async () => {
    const call = { from: account.address, to: probe, data: lib.call('store', [1, 1, 'listed']) }
    const { accessList, gasUsed, error } = await send('eth_createAccessList', [call, 'latest'])
    equal(error, undefined)
    const own = accessList.find((one) => one.address.toLowerCase() === probe.toLowerCase())
    equal([...own.storageKeys].sort(), [word(0), lib.slot(1)].sort())
    holds(BigInt(gasUsed) > 21_000n, `gas ${gasUsed}`)
  })
  await check('simulated blocks build on one another', async () => {
    const from = account.address
    const calls = [
      { from, to: probe, data: lib.call('store', [9, 99, 'simulated']) },
      { from, to: probe, data: lib.call('value', []) },
    ]
    const next = [{ from, to: probe, data: lib.call('table', [9]) }, { from, to: probe, data: lib.call('complain', []) }]
    const [one, two] = await send('eth_simulateV1', [{ blockStateCalls: [{ calls }, { calls: next }] }, 'latest'])
    equal([one.calls.length, one.calls[0].status, one.calls[0].logs.length], [2, '0x1', 1])
    equal(one.calls[1].returnData, word(99))
    equal(BigInt(two.number), BigInt(one.number) + 1n)
    equal([two.calls[0].returnData, two.calls[1].status], [word(99), '0x0'])
    holds(typeof two.calls[1].error.message === 'string', 'the error has words')
    equal(await set.ask('table', [9]), [0])
  })
  await check('simulated blocks hang together', async () => {
    const blocks = [{ calls: [] }, { blockOverrides: { time: '0x1ffffffff' } }]
    const [one, two] = await send('eth_simulateV1', [{ blockStateCalls: blocks }, first.blockNumber])
    equal([one.parentHash, two.parentHash], [first.blockHash, one.hash])
    equal([two.timestamp, BigInt(two.number)], ['0x1ffffffff', BigInt(first.blockNumber) + 2n])
  }, { anvil: 'the parent of its second block is zero' })
  await check('a simulation follows overrides and transfers', async () => {
    const to = '0x' + '77'.repeat(20)
    const block = {
      stateOverrides: { [STRANGER]: { balance: hex(10n ** 20n) } },
      calls: [{ from: STRANGER, to, value: hex(5) }],
    }
    const options = { blockStateCalls: [block], traceTransfers: true }
    const [{ calls }] = await send('eth_simulateV1', [options, first.blockNumber])
    equal([calls[0].status, calls[0].gasUsed, calls[0].logs.length], ['0x1', '0x5208', 1])
    equal(BigInt(calls[0].logs[0].data), 5)
  })
}
