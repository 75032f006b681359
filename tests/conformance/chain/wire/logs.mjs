// Logs in every form of filter, and filters that remember what was asked.

import { check, equal, hex, holds, refusal, until, word } from '../judge.mjs'

export async function logs(lib, set) {
  const { send } = lib
  const { probe, birth, first, both, paid, last } = set
  const [stored, payed] = [lib.topic('Stored'), lib.topic('Paid')]
  const whole = { address: probe, fromBlock: birth.blockNumber, toBlock: last.blockNumber }
  const find = async (filter) => (await send('eth_getLogs', [filter])).map(short)
  const short = (log) => [BigInt(log.blockNumber), BigInt(log.logIndex), log.topics[0]]
  const those = (...receipts) => receipts.flatMap((receipt) => receipt.logs).map(short)

  await check('logs are found by address and range', async () => {
    equal(await find(whole), those(first, set.second, both, paid, last))
    equal(await find({ ...whole, toBlock: first.blockNumber }), those(first))
  })
  await check('a log has all that it is made of', async () => {
    const [log] = await send('eth_getLogs', [{ ...whole, toBlock: first.blockNumber }])
    equal(log.address.toLowerCase(), probe.toLowerCase())
    equal(log.topics, [stored, word(lib.accounts[0].address), word(1)])
    for (const place of ['blockHash', 'blockNumber', 'transactionHash', 'transactionIndex']) equal(log[place], first[place], place)
    equal([log.removed, log.logIndex], [false, first.logs[0].logIndex])
    equal(lib.event('Stored', log), [11, 'one'])
  })
  await check('logs are found by topic, by one of several and by any', async () => {
    equal(await find({ ...whole, topics: [payed] }), those(paid))
    equal(await find({ ...whole, topics: [[stored, payed]] }), those(first, set.second, both, paid, last))
    equal(await find({ ...whole, topics: [null, null, [word(1), word(2)]] }), those(first, set.second, last))
    equal(await find({ ...whole, topics: [stored, null, word(4)] }), [short(both.logs[1])])
    equal(await find({ ...whole, topics: [] }), await find(whole))
  })
  await check('a longer list of topics than a log has does not match', async () => {
    equal(await find({ ...whole, topics: [payed, null, null] }), [])
    equal(await find({ ...whole, topics: [word(5)] }), [])
  }, { anvil: 'any topic matches no topic there' })
  await check('logs are found by the hash of a block', async () => {
    equal(await find({ address: probe, blockHash: both.blockHash }), those(both))
    const unknown = await refusal(send('eth_getLogs', [{ blockHash: word(77) }]), lib.fault)
    holds(typeof unknown.code === 'number', 'an unknown block is an error')
  })
  await check('logs are found at one of several addresses', async () => {
    equal(await find({ ...whole, address: [word(1).slice(0, 42), probe] }), await find(whole))
    equal(await find({ ...whole, address: word(1).slice(0, 42) }), [])
  })
  await check('logs are found between tags', async () => {
    const all = await find({ ...whole, fromBlock: 'earliest', toBlock: 'latest' })
    holds(all.length >= 6, 'all of them at least')
    const now = await send('eth_getLogs', [{ address: probe }])
    holds(now.every((log) => BigInt(log.blockNumber) >= BigInt(last.blockNumber)), 'no range: the latest block')
  })
  await check('an impossible range is refused', async () => {
    const fault = await refusal(send('eth_getLogs', [{ ...whole, fromBlock: last.blockNumber, toBlock: first.blockNumber }]), lib.fault)
    holds([-32000, -32602].includes(fault.code), `code ${fault.code}`)
  }, { anvil: 'it answers an empty list' })
  await check('a range together with a block hash is refused', async () => {
    const fault = await refusal(send('eth_getLogs', [{ blockHash: first.blockHash, fromBlock: '0x1' }]), lib.fault)
    holds([-32000, -32602].includes(fault.code), `code ${fault.code}`)
  })
  await check('a log filter tells each log once, and all of them again when asked', async () => {
    const filter = await send('eth_newFilter', [{ address: probe, topics: [payed], fromBlock: paid.blockNumber }])
    await send('eth_getFilterChanges', [filter])
    const receipt = await set.mine({ to: probe, data: lib.call('pay', []), value: 2n })
    const found = await until('the log', async () => {
      const changes = await send('eth_getFilterChanges', [filter])
      return changes.length > 0 && changes
    })
    equal(found.map(short), those(receipt))
    equal(await send('eth_getFilterChanges', [filter]), [])
    const all = (await send('eth_getFilterLogs', [filter])).map(short)
    equal([all[0], all.at(-1)], [short(paid.logs[0]), short(receipt.logs[0])])
    equal(await send('eth_uninstallFilter', [filter]), true)
    equal(await send('eth_uninstallFilter', [filter]), false)
  })
  await check('a block filter tells the hashes of new blocks in order', async () => {
    const filter = await send('eth_newBlockFilter', [])
    const receipts = [await set.mine({ to: probe, value: 1n }), await set.mine({ to: probe, value: 1n })]
    const hashes = []
    await until('both blocks', async () => {
      hashes.push(...(await send('eth_getFilterChanges', [filter])))
      return receipts.every((receipt) => hashes.includes(receipt.blockHash))
    })
    for (const [index, hash] of hashes.entries()) {
      const block = await send('eth_getBlockByHash', [hash, false])
      if (index > 0) equal(block.parentHash, hashes[index - 1])
    }
    await send('eth_uninstallFilter', [filter])
  })
  await check('a filter of pending transactions tells their hashes', async () => {
    const filter = await send('eth_newPendingTransactionFilter', [])
    const hash = await set.submit({ to: probe, value: 1n })
    const seen = []
    await until('the hash', async () => {
      seen.push(...(await send('eth_getFilterChanges', [filter])))
      return seen.includes(hash)
    })
    await set.receipt(hash)
    await send('eth_uninstallFilter', [filter])
  })
  await check('an unknown filter is an error', async () => {
    const fault = await refusal(send('eth_getFilterChanges', [hex(0xdeadbeefdeadbeefn)]), lib.fault)
    holds(/filter not found/i.test(fault.message), fault.message)
  })
}
