// State now and then: balances, nonces, code, slots, calls in the past, proofs.

import { check, equal, holds, word } from '../judge.mjs'
import { verify } from '../proof.mjs'

const EMPTY = '0x' + '99'.repeat(20)

export async function state(lib, set) {
  const { send } = lib
  const { probe, birth, first, last, before } = set
  const [account] = lib.accounts

  await check('a call in the past sees the state of its block', async () => {
    equal(await set.ask('value', [], birth.blockNumber), [7])
    equal(await set.ask('value', [], first.blockNumber), [11])
    equal(await set.ask('value', []), [111])
    equal(await set.ask('table', [1], before(last)), [11])
  })
  await check('a call sees number, time and chain of its block', async () => {
    const block = await send('eth_getBlockByNumber', [first.blockNumber, false])
    const [number, time, chain, , , balance] = await set.ask('surroundings', [], first.blockNumber)
    equal([number, time, chain, balance], [BigInt(block.number), BigInt(block.timestamp), set.chainId, 5])
  })
  await check('a block may be named as an object (EIP-1898)', async () => {
    for (const block of [
      { blockHash: first.blockHash },
      { blockHash: first.blockHash, requireCanonical: true },
      { blockNumber: first.blockNumber },
    ]) {
      equal(await set.ask('value', [], block), [11])
      equal(await send('eth_getStorageAt', [probe, '0x0', block]), word(11))
      equal(BigInt(await send('eth_getBalance', [probe, block])), 5)
    }
  })
  await check('slots hold what the layout says, then and now', async () => {
    equal(await send('eth_getStorageAt', [probe, '0x0', 'latest']), word(111))
    equal(await send('eth_getStorageAt', [probe, word(0), birth.blockNumber]), word(7))
    equal(await send('eth_getStorageAt', [probe, lib.slot(1), 'latest']), word(111))
    equal(await send('eth_getStorageAt', [probe, lib.slot(1), before(first)]), word(0))
    equal(await send('eth_getStorageAt', [EMPTY, '0x0', 'latest']), word(0))
  })
  await check('code is there from its block on', async () => {
    equal(await send('eth_getCode', [probe, before(birth)]), '0x')
    const code = await send('eth_getCode', [probe, 'latest'])
    holds(code.length > 100 && code === (await send('eth_getCode', [probe, birth.blockNumber])), 'one code')
    equal(await send('eth_getCode', [account.address, 'latest']), '0x')
  })
  await check('balances and nonces are those of their block', async () => {
    const paid = [await send('eth_getBalance', [probe, before(set.paid)]), await send('eth_getBalance', [probe, set.paid.blockNumber])]
    equal(BigInt(paid[1]) - BigInt(paid[0]), 1000)
    equal(BigInt(await send('eth_getTransactionCount', [account.address, birth.blockNumber])), set.birthNonce + 1)
    equal(BigInt(await send('eth_getTransactionCount', [probe, 'latest'])), 1)
  })
  await check('a sender pays value and gas, to the wei', async () => {
    const receipt = await set.mine({ to: EMPTY, value: 12_345n, gas: 21_000n })
    const [was, is] = [
      await send('eth_getBalance', [account.address, before(receipt)]),
      await send('eth_getBalance', [account.address, receipt.blockNumber]),
    ]
    equal(BigInt(was) - BigInt(is), 12_345n + BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice))
    equal(receipt.gasUsed, '0x5208')
  })
  for (const [what, at] of [['the first block', 'birth'], ['a block in the past', 'first'], ['the newest block', 'last']])
    await check(`proofs lead to the state root of ${what}`, async () => {
      const { blockNumber } = set[at]
      const { stateRoot } = await send('eth_getBlockByNumber', [blockNumber, false])
      const slots = [word(0), lib.slot(1), lib.slot(2), word(12_345)]
      const proof = await send('eth_getProof', [probe, slots, blockNumber])
      holds(verify(proof, stateRoot, lib) !== null, 'the contract is in the trie')
      equal(proof.storageProof.length, 4)
      equal(BigInt(proof.storageProof[0].value), { birth: 7, first: 11, last: 111 }[at])
      const own = await send('eth_getProof', [account.address, [], blockNumber])
      verify(own, stateRoot, lib)
      equal(own.balance, await send('eth_getBalance', [account.address, blockNumber]))
    })
  await check('a proof shows that an account is not there', async () => {
    const nobody = `0x${'00'.repeat(10)}${lib.keccak('0x01').slice(2, 22)}`
    const { stateRoot } = await send('eth_getBlockByNumber', [last.blockNumber, false])
    const proof = await send('eth_getProof', [nobody, [], last.blockNumber])
    equal(verify(proof, stateRoot, lib), null)
    equal([proof.balance, proof.nonce], ['0x0', '0x0'])
  })
  await check('a failed transaction leaves its fee and nothing else', async () => {
    const receipt = await set.mine({ to: probe, data: lib.call('storeAndComplain', [999]) })
    equal([receipt.status, receipt.logs], ['0x0', []])
    equal(await set.ask('value', [], receipt.blockNumber), [111])
    const [was, is] = [
      await send('eth_getBalance', [account.address, before(receipt)]),
      await send('eth_getBalance', [account.address, receipt.blockNumber]),
    ]
    equal(BigInt(was) - BigInt(is), BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice))
  })
  await check('a transaction that runs out of gas uses all of it', async () => {
    const receipt = await set.mine({ to: probe, data: lib.call('burn', [1_000_000]), gas: 100_000n })
    equal([receipt.status, receipt.gasUsed], ['0x0', '0x186a0'])
  })
  await check('CREATE2 puts a contract where EIP-1014 says', async () => {
    const salt = word(await set.nonce())
    const [wanted] = await set.ask('where', [salt, 42])
    const receipt = await set.mine({ to: probe, data: lib.call('make', [salt, 42]), gas: 500_000n })
    equal(receipt.status, '0x1')
    holds((await send('eth_getCode', [wanted, 'latest'])).length > 2, 'the child has code')
    equal(await send('eth_getCode', [wanted, before(receipt)]), '0x')
  })
  await check('precompiles answer', async () => {
    const sha = await send('eth_call', [{ to: `0x${'00'.repeat(19)}02`, data: '0x616263' }, 'latest'])
    equal(sha, '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    equal(await send('eth_call', [{ to: `0x${'00'.repeat(19)}04`, data: '0x0102' }, 'latest']), '0x0102')
  })
}
