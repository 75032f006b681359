// Blocks, transactions and receipts: whether all ways to ask for one thing agree, and whether hashes are what they say.

import { check, equal, hex, holds, rpc } from '../judge.mjs'
import { headerHash } from '../proof.mjs'

const NOWHERE = `0x${'ee'.repeat(32)}`

export async function chain(lib, set) {
  const { send } = lib
  const { first } = set

  await check('chain id and network agree', async () => {
    equal(await send('net_version', []), set.chainId.toString())
    equal(await rpc('eth_chainId'), hex(set.chainId))
  })
  await check('the node says who it is and that it is not catching up', async () => {
    holds((await send('web3_clientVersion', [])).includes('/'), 'a client version with a slash')
    equal(await send('eth_syncing', []), false)
    equal(await send('net_listening', []), true)
  })
  await check('web3_sha3 is keccak', async () => {
    equal(await send('web3_sha3', ['0x68656c6c6f']), lib.keccak('0x68656c6c6f'))
  })
  await check('a new contract has the address that sender and nonce give', async () => {
    equal(set.birth.contractAddress.toLowerCase(), lib.create(lib.accounts[0].address, set.birthNonce).toLowerCase())
    equal(set.birth.to, null)
    equal(first.contractAddress, null)
  })
  await check('a block is the same by number and by hash', async () => {
    const byNumber = await send('eth_getBlockByNumber', [first.blockNumber, true])
    equal(byNumber, await send('eth_getBlockByHash', [first.blockHash, true]))
    equal(byNumber.hash, first.blockHash)
  })
  await check('full transactions and hashes name the same', async () => {
    const [full, hashes] = await Promise.all(
      [true, false].map((whole) => send('eth_getBlockByNumber', [first.blockNumber, whole])),
    )
    equal(full.transactions.map((transaction) => transaction.hash), hashes.transactions)
    holds(hashes.transactions.includes(first.transactionHash), 'the transaction stands in its block')
  })
  await check('the hash of a block is that of its header', async () => {
    for (const number of ['0x0', first.blockNumber, 'latest']) {
      const block = await send('eth_getBlockByNumber', [number, false])
      equal(headerHash(block, lib), block.hash, `hash of block ${number}`)
    }
  })
  await check('blocks hang together up to the genesis', async () => {
    const newest = BigInt(set.last.blockNumber)
    let child = await send('eth_getBlockByNumber', [hex(newest), false])
    for (let number = newest - 1n; number >= 0n && newest - number < 30n; number -= 1n) {
      const block = await send('eth_getBlockByNumber', [hex(number), false])
      equal(child.parentHash, block.hash, `parent of ${number + 1n}`)
      holds(BigInt(child.timestamp) > BigInt(block.timestamp) || number === 0n, 'time goes on')
      child = block
    }
  }, { anvil: 'two instant blocks may have one timestamp' })
  await check('a block has all fields of its fork', async () => {
    const block = await send('eth_getBlockByNumber', ['latest', false])
    for (const field of ['baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'mixHash', 'size'])
      holds(block[field] !== undefined, `there is ${field}`)
    equal([block.withdrawals, block.uncles, block.difficulty, block.nonce], [[], [], '0x0', '0x0000000000000000'])
  })
  await check('the base fee follows from the parent (EIP-1559)', async () => {
    const newest = BigInt(set.last.blockNumber)
    for (let number = newest - 3n; number < newest; number += 1n) {
      const [parent, child] = await Promise.all(
        [number, number + 1n].map((each) => send('eth_getBlockByNumber', [hex(each), false])),
      )
      equal(child.baseFeePerGas, hex(nextBaseFee(parent)), `base fee of ${number + 1n}`)
    }
  })
  await check('counts of transactions agree', async () => {
    const { transactions } = await send('eth_getBlockByNumber', [first.blockNumber, false])
    equal(await send('eth_getBlockTransactionCountByNumber', [first.blockNumber]), hex(transactions.length))
    equal(await send('eth_getBlockTransactionCountByHash', [first.blockHash]), hex(transactions.length))
    equal(await send('eth_getUncleCountByBlockNumber', [first.blockNumber]), '0x0')
  })
  await check('a transaction is the same by hash and by place', async () => {
    const byHash = await send('eth_getTransactionByHash', [first.transactionHash])
    const { blockNumber, blockHash, transactionIndex } = byHash
    equal([blockNumber, blockHash, transactionIndex], [first.blockNumber, first.blockHash, first.transactionIndex])
    equal(await send('eth_getTransactionByBlockNumberAndIndex', [blockNumber, transactionIndex]), byHash)
    equal(await send('eth_getTransactionByBlockHashAndIndex', [blockHash, transactionIndex]), byHash)
    equal(byHash.from.toLowerCase(), lib.accounts[0].address.toLowerCase())
    equal(byHash.input, lib.call('store', [1, 11, 'one']))
  })
  await check('all receipts of a block at once are those that are asked for singly', async () => {
    const all = await send('eth_getBlockReceipts', [first.blockNumber])
    equal(all, await send('eth_getBlockReceipts', [first.blockHash]))
    const { transactions } = await send('eth_getBlockByNumber', [first.blockNumber, false])
    equal(all.length, transactions.length)
    for (const [index, hash] of transactions.entries())
      equal(all[index], await send('eth_getTransactionReceipt', [hash]))
  })
  await check('a receipt tells status, gas and price', async () => {
    const block = await send('eth_getBlockByNumber', [first.blockNumber, false])
    const transaction = await send('eth_getTransactionByHash', [first.transactionHash])
    const base = BigInt(block.baseFeePerGas)
    const tip = BigInt(transaction.maxPriorityFeePerGas)
    const room = BigInt(transaction.maxFeePerGas) - base
    equal(BigInt(first.effectiveGasPrice), base + (tip < room ? tip : room), 'effective gas price')
    equal(transaction.gasPrice, first.effectiveGasPrice)
    equal([first.status, first.type], ['0x1', '0x2'])
    holds(BigInt(first.gasUsed) <= BigInt(first.cumulativeGasUsed), 'gas adds up')
  })
  await check('the bloom of a receipt and of its block have the address and the topics of its logs', async () => {
    const block = await send('eth_getBlockByNumber', [first.blockNumber, false])
    for (const bloom of [first.logsBloom, block.logsBloom])
      for (const value of [first.logs[0].address, ...first.logs[0].topics]) holds(inBloom(bloom, value, lib), value)
  })
  for (const type of [0, 1, 2])
    await check(`a transaction of type ${type} is mined and shown as such`, async () => {
      const accessList = type ? [{ address: set.probe, storageKeys: [`0x${'00'.repeat(32)}`] }] : undefined
      const receipt = await set.mine({ type, to: set.probe, data: lib.call('pay', []), value: 1n, accessList })
      const shown = await send('eth_getTransactionByHash', [receipt.transactionHash])
      equal([receipt.type, shown.type, receipt.status], [hex(type), hex(type), '0x1'])
      if (accessList) equal(shown.accessList.map((one) => one.storageKeys), [accessList[0].storageKeys])
      holds(type !== 2 || shown.maxFeePerGas, 'fees of type 2')
    })
  await check('a raw transaction comes back as it was sent', async () => {
    const [account] = lib.accounts
    const fees = await set.fees()
    const fields = { type: 2, chainId: set.chainId, to: account.address, value: 3n, data: '0x', gas: 21_000n, ...fees }
    const raw = await account.sign({ ...fields, nonce: await set.nonce() })
    const hash = await send('eth_sendRawTransaction', [raw])
    equal(hash, lib.keccak(raw), 'transaction hash')
    await set.receipt(hash)
    equal(await send('eth_getRawTransactionByHash', [hash]), raw)
    equal(await send('debug_getRawTransaction', [hash]), raw)
  })
  await check('what does not exist is null', async () => {
    const future = hex(BigInt(set.last.blockNumber) + 1_000_000n)
    equal(await send('eth_getBlockByNumber', [future, false]), null)
    equal(await send('eth_getBlockByHash', [NOWHERE, false]), null)
    equal(await send('eth_getTransactionByHash', [NOWHERE]), null)
    equal(await send('eth_getTransactionReceipt', [NOWHERE]), null)
    equal(await send('eth_getTransactionByBlockNumberAndIndex', [first.blockNumber, '0xffff']), null)
    equal(await send('eth_getBlockTransactionCountByHash', [NOWHERE]), null)
  })
  await check('receipts of a block that does not exist are null', async () => {
    equal(await send('eth_getBlockReceipts', [NOWHERE]), null)
  })
  await check('every tag names a block, in order', async () => {
    const at = async (tag) => BigInt((await send('eth_getBlockByNumber', [tag, false])).number)
    const [earliest, finalized, safe, latest] = [await at('earliest'), await at('finalized'), await at('safe'), await at('latest')]
    equal(earliest, 0)
    holds(finalized <= safe && safe <= latest, `finalized ${finalized} <= safe ${safe} <= latest ${latest}`)
    holds(BigInt(await send('eth_blockNumber', [])) >= latest, 'the number does not go back')
  })
  await check('the pending block comes after the latest', async () => {
    const [latest, pending] = [
      await send('eth_getBlockByNumber', ['latest', false]),
      await send('eth_getBlockByNumber', ['pending', false]),
    ]
    holds(BigInt(pending.number) > BigInt(latest.number), `pending ${pending.number} > latest ${latest.number}`)
  })
  await check('fee history is what the blocks say', async () => {
    const newest = set.last.blockNumber
    const history = await send('eth_feeHistory', ['0x3', newest, [10, 50, 90]])
    equal([history.baseFeePerGas.length, history.gasUsedRatio.length, history.reward.length], [4, 3, 3])
    equal(history.oldestBlock, hex(BigInt(newest) - 2n))
    for (let index = 0n; index < 3n; index += 1n) {
      const block = await send('eth_getBlockByNumber', [hex(BigInt(newest) - 2n + index), false])
      equal(history.baseFeePerGas[index], block.baseFeePerGas)
      const ratio = Number(block.gasUsed) / Number(block.gasLimit)
      holds(Math.abs(history.gasUsedRatio[index] - ratio) < 1e-9, `ratio ${ratio}`)
      const rewards = history.reward[index].map(BigInt)
      holds(rewards.length === 3 && rewards[0] <= rewards[1] && rewards[1] <= rewards[2], 'percentiles rise')
      equal(rewards[2], 1_000_000_000, 'the tip that was paid')
    }
  })
  await check('suggested prices suffice', async () => {
    const { baseFeePerGas } = await send('eth_getBlockByNumber', ['latest', false])
    holds(BigInt(await send('eth_gasPrice', [])) >= BigInt(baseFeePerGas), 'the gas price reaches the base fee')
    holds(BigInt(await send('eth_maxPriorityFeePerGas', [])) >= 0n, 'a tip')
    holds(BigInt(await send('eth_blobBaseFee', [])) >= 1n, 'a price of blobs')
  })
}

function nextBaseFee(parent) {
  const [base, used, target] = [BigInt(parent.baseFeePerGas), BigInt(parent.gasUsed), BigInt(parent.gasLimit) / 2n]
  if (used === target) return base
  if (used < target) return base - (base * (target - used)) / target / 8n
  const rise = (base * (used - target)) / target / 8n
  return base + (rise > 1n ? rise : 1n)
}

function inBloom(bloom, value, lib) {
  const hash = lib.keccak(value.toLowerCase()).slice(2)
  const bits = BigInt(bloom)
  return [0, 4, 8].every((at) => (bits >> (BigInt(`0x${hash.slice(at, at + 4)}`) & 2047n)) & 1n)
}
