// The pool: nonces with gaps, replacements, what is taken in and what is not, what it shows.
//
// A transaction with a nonce gap waits whatever the pace of blocks is, so that replacing and listing can be looked at with
// instant blocks too. Each check has a sender of its own: what one leaves waiting is in nobody's way.

import { check, equal, hex, holds, join0x, refusal, word } from '../judge.mjs'
import { quantity } from '../proof.mjs'

const SINK = `0x${'00'.repeat(18)}dead`
const GWEI = 1_000_000_000n

export async function pool(lib, set) {
  const { send } = lib
  const simple = { to: SINK, value: 1n, gas: 21_000n }
  const says = (fault, pattern) => {
    equal(fault.code, -32000, `code of "${fault.message}"`)
    holds(pattern.test(fault.message), `${pattern} is said: ${fault.message}`)
  }
  const alone = (name, run, options) =>
    check(name, async () => {
      const sender = lib.fresh()
      await set.mine({ to: sender.address, value: 10n ** 18n, gas: 21_000n })
      const submit = (fields) => set.submit({ ...simple, ...fields }, sender)
      const refused = (fields) => refusal(submit(fields), lib.fault)
      const mine = async (fields) => set.receipt(await submit(fields))
      await run({ sender, submit, refused, mine })
    }, options)
  const part = (content, { address }) =>
    Object.entries(content).find(([each]) => each.toLowerCase() === address.toLowerCase())?.[1] ?? {}

  await alone('a nonce gap waits, is shown as queued, and goes on when it is filled', async ({ sender, submit }) => {
    const nonce = await set.nonce(sender)
    const waiting = await submit({ nonce: nonce + 1 })
    equal(await set.nonce(sender), nonce, 'the pending nonce does not jump over a gap')
    equal(await send('eth_getTransactionReceipt', [waiting]), null)
    const shown = await send('eth_getTransactionByHash', [waiting])
    equal([shown.blockNumber, shown.blockHash, shown.nonce], [null, null, hex(nonce + 1)])
    const { queued } = await send('txpool_content', [])
    equal(part(queued, sender)[nonce + 1].hash, waiting)
    const status = await send('txpool_status', [])
    holds(BigInt(status.queued) >= 1n && BigInt(status.pending) >= 0n, JSON.stringify(status))
    const inspected = part((await send('txpool_inspect', [])).queued, sender)[nonce + 1]
    holds(inspected.toLowerCase().includes(SINK) && inspected.includes('wei'), inspected)
    const filling = await submit({ nonce })
    const [first, second] = [await set.receipt(filling), await set.receipt(waiting)]
    equal([first.status, second.status], ['0x1', '0x1'])
    const order = (receipt) => BigInt(receipt.blockNumber) * 10_000n + BigInt(receipt.transactionIndex)
    holds(order(first) < order(second), 'in order of their nonces')
    equal(part((await send('txpool_content', [])).queued, sender)[nonce + 1], undefined)
  })
  await alone('the pool of one sender', async ({ sender, submit, mine }) => {
    const nonce = await set.nonce(sender)
    const waiting = await submit({ nonce: nonce + 1 })
    const { queued, pending } = await send('txpool_contentFrom', [sender.address])
    equal([queued[nonce + 1].hash, pending], [waiting, {}])
    await mine({ nonce })
    await set.receipt(waiting)
  }, { anvil: 'it has no txpool_contentFrom' })
  await alone('a replacement pays a tenth more of both fees', async ({ sender, submit, refused, mine }) => {
    const nonce = await set.nonce(sender)
    const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 2n * GWEI }
    const first = await submit({ nonce: nonce + 1, ...fees })
    const more = (percent) => ({
      maxFeePerGas: (fees.maxFeePerGas * percent) / 100n,
      maxPriorityFeePerGas: (fees.maxPriorityFeePerGas * percent) / 100n,
    })
    says(await refused({ nonce: nonce + 1, ...more(109n) }), /replacement transaction underpriced/)
    const second = await submit({ nonce: nonce + 1, ...more(110n), value: 2n })
    equal(await send('eth_getTransactionByHash', [first]), null)
    await mine({ nonce })
    equal((await set.receipt(second)).status, '0x1')
    equal(await send('eth_getTransactionReceipt', [first]), null)
  }, { anvil: 'a dearer transaction replaces, however little dearer it is' })
  await alone('more of one fee alone does not replace', async ({ sender, submit, refused, mine }) => {
    const nonce = await set.nonce(sender)
    const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 2n * GWEI }
    const first = await submit({ nonce: nonce + 1, ...fees })
    says(await refused({ nonce: nonce + 1, ...fees, maxFeePerGas: 200n * GWEI }), /replacement transaction underpriced/)
    await mine({ nonce })
    await set.receipt(first)
  }, { anvil: 'it looks at one of the fees alone' })
  await alone('a used nonce is too low', async ({ sender, refused, mine }) => {
    const nonce = await set.nonce(sender)
    await mine({ nonce })
    says(await refused({ nonce, value: 9n }), /nonce too low/)
  }, { anvil: 'its code is -32003' })
  await alone('a transaction that is known already is refused', async ({ sender, submit, refused, mine }) => {
    const nonce = await set.nonce(sender)
    const fields = { nonce: nonce + 1, maxFeePerGas: 50n * GWEI, maxPriorityFeePerGas: GWEI }
    const waiting = await submit(fields)
    says(await refused(fields), /already known/)
    await mine({ nonce })
    await set.receipt(waiting)
  }, { anvil: 'it says already imported, with code -32003' })
  await alone('who cannot pay is refused', async ({ refused }) => {
    says(await refused({ value: 10n ** 30n }), /insufficient funds for gas \* price \+ value/i)
  }, { anvil: 'its code is -32003' })
  await alone('gas below what every transaction needs is refused', async ({ refused }) => {
    says(await refused({ gas: 20_999n }), /intrinsic gas too low/)
  })
  await alone('gas above what a block has is refused', async ({ refused }) => {
    const { gasLimit } = await send('eth_getBlockByNumber', ['latest', false])
    const fault = await refused({ gas: BigInt(gasLimit) + 1n })
    holds(/exceeds block gas limit|gas limit too high|intrinsic gas too high/i.test(fault.message), fault.message)
  })
  await alone('gas above 2^24 in one transaction is refused (EIP-7825)', async ({ refused }) => {
    const fault = await refused({ gas: 16_777_217n })
    holds(/gas limit too high|exceeds/i.test(fault.message), fault.message)
  }, { anvil: 'it lets it in, with osaka too' })
  await alone('a tip above the whole fee is refused', async ({ sender }) => {
    // By hand: libraries do not write such a transaction.
    const nonce = quantity(await set.nonce(sender))
    const fees = [quantity(2n * GWEI), quantity(GWEI)]
    const fields = [quantity(set.chainId), nonce, ...fees, quantity(21_000), SINK, quantity(1), '0x', []]
    const { r, s, yParity } = await sender.signHash(lib.keccak(join0x('0x02', lib.encode(fields))))
    const raw = join0x('0x02', lib.encode([...fields, quantity(yParity), quantity(r), quantity(s)]))
    const fault = await refusal(send('eth_sendRawTransaction', [raw]), lib.fault)
    holds(/max priority fee per gas higher than max fee per gas/.test(fault.message), fault.message)
  })
  await alone('a transaction of another chain is refused', async ({ sender, refused }) => {
    const fault = await refused({ chainId: set.chainId + 1n })
    holds(/chain ?id|invalid sender/i.test(fault.message), fault.message)
  })
  await check('octets that are no transaction are refused', async () => {
    for (const raw of ['0x', '0x1234', '0x02c0', '0x7fc0', word(1)]) {
      const fault = await refusal(send('eth_sendRawTransaction', [raw]), lib.fault)
      holds([-32000, -32602].includes(fault.code), `${raw}: code ${fault.code}`)
    }
  })
  await alone('many transactions sent at once are all mined, in order', async ({ sender, submit }) => {
    const nonce = await set.nonce(sender)
    const hashes = await Promise.all(Array.from({ length: 20 }, (_, index) => submit({ nonce: nonce + index })))
    let before = -1n
    for (const hash of hashes) {
      const { blockNumber, transactionIndex, status } = await set.receipt(hash)
      const place = BigInt(blockNumber) * 10_000n + BigInt(transactionIndex)
      holds(status === '0x1' && place > before, 'its place is after the one before')
      before = place
    }
    equal(await set.nonce(sender, 'latest'), nonce + 20)
  })
}
