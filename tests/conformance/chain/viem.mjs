// viem 2 as a judge: node viem.mjs HTTP WS

import { check, contracts, equal, finish, holds, HTTP, library, MNEMONIC, refusal, until, word, WS } from './judge.mjs'
import { verify } from './proof.mjs'
import { wire } from './wire.mjs'

const viem = library('viem')
const { generatePrivateKey, mnemonicToAccount, privateKeyToAccount, sign } = library('viem/accounts')
const { Probe } = contracts()
const { abi, bytecode } = Probe
const settings = { pollingInterval: 100, cacheTime: 0 }
// No repeats: a judge wants to see the first answer.
const transport = viem.http(HTTP, { retryCount: 0 })
const id = await viem.createPublicClient({ transport }).getChainId()
const chain = viem.defineChain({
  id,
  name: 'judged',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [HTTP], webSocket: [WS] } },
})
const client = viem.createPublicClient({ chain, transport, ...settings })
const accounts = [3, 4, 5].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }))
const wallets = accounts.map((account) => viem.createWalletClient({ account, chain, transport, ...settings }))

const TYPES = ['legacy', 'eip2930', 'eip1559']
const actor = (account, privateKey) => ({
  address: account.address,
  signHash: (hash) => sign({ hash, privateKey }),
  sign: ({ type, chainId, ...fields }) =>
    account.signTransaction({ ...fields, type: TYPES[type], chainId: Number(chainId) }),
})
const fresh = () => {
  const key = generatePrivateKey()
  return actor(privateKeyToAccount(key), key)
}
const list = (value) => (Array.isArray(value) ? value : [value])

const lib = {
  send: (method, params) => client.request({ method, params }),
  // The innermost of the errors that viem has wrapped is what the node said.
  fault: (error) => {
    const inner = error.walk?.((each) => each.name === 'RpcRequestError') ?? error
    const { code, data, details, message } = inner
    return { code, data, message: details ?? message }
  },
  accounts: accounts.map((account) => actor(account, viem.toHex(account.getHdKey().privateKey))),
  fresh,
  keccak: (data) => viem.keccak256(data),
  encode: (tree) => viem.toRlp(tree),
  decode: (data) => viem.fromRlp(data, 'hex'),
  call: (functionName, args) => viem.encodeFunctionData({ abi, functionName, args }),
  read: (functionName, data) => list(viem.decodeFunctionResult({ abi, functionName, data })),
  error: (_, data) => viem.decodeErrorResult({ abi, data }).args,
  event: (eventName, { data, topics }) => {
    const { args } = viem.decodeEventLog({ abi, eventName, data, topics })
    return [args.value, args.note]
  },
  topic: (name) => viem.encodeEventTopics({ abi, eventName: name })[0],
  create: (from, nonce) => viem.getContractAddress({ from, nonce: BigInt(nonce) }),
  slot: (key) => viem.keccak256(viem.concat([word(key), word(1)])),
  address: viem.getAddress,
}

await wire(lib)

// What only viem does, with a contract of its own.
const [wallet] = wallets
const [account] = accounts
const done = (hash) => client.waitForTransactionReceipt({ hash, timeout: 20_000 })
const birth = await done(await wallet.deployContract({ abi, bytecode, args: [7n], value: 5n }))
const address = birth.contractAddress
const probe = viem.getContract({ abi, address, client: { public: client, wallet } })
const cause = (error, type) => error.walk((each) => each instanceof type)

await check('viem: a contract is deployed and read', async () => {
  equal([birth.status, await probe.read.value(), await client.getBalance({ address })], ['success', 7, 5])
  holds((await client.getCode({ address })).length > 2, 'code')
})
await check('viem: blocks and fees are understood', async () => {
  const block = await client.getBlock({ blockNumber: birth.blockNumber, includeTransactions: true })
  equal(block.transactions.find(({ hash }) => hash === birth.transactionHash).typeHex, '0x2')
  const fees = await client.estimateFeesPerGas()
  holds(fees.maxFeePerGas > fees.maxPriorityFeePerGas && (await client.getGasPrice()) > 0n, 'fees')
  const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [25, 75] })
  equal([history.baseFeePerGas.length, history.reward.length], [3, 2])
})
await check('viem: a block that is not there yet is understood', async () => {
  const latest = await client.getBlockNumber()
  const pending = await client.getBlock({ blockTag: 'pending', includeTransactions: true })
  holds(pending.number > latest, `pending ${pending.number} > latest ${latest}`)
  equal([pending.hash, pending.nonce], [null, null])
  holds((await client.getBalance({ address: accounts[0].address, blockTag: 'pending' })) > 0n, 'a balance')
})
await check('viem: a transaction is simulated, sent and waited for', async () => {
  const { request } = await probe.simulate.store([1n, 10n, 'viem'], { account })
  const receipt = await done(await wallet.writeContract(request))
  const [event] = viem.parseEventLogs({ abi, logs: receipt.logs })
  equal([receipt.status, receipt.type, event.eventName], ['success', 'eip1559', 'Stored'])
  equal(event.args, { who: account.address, key: 1, value: 10, note: 'viem' })
  holds((await client.getTransactionConfirmations({ hash: receipt.transactionHash })) >= 1n, 'a confirmation')
})
await check('viem: a custom error has its name and its arguments', async () => {
  const error = cause(await refusal(probe.read.refuse([42n])), viem.ContractFunctionRevertedError)
  equal([error.data.errorName, error.data.args], ['Refused', [42, 'as asked']])
})
await check('viem: a refusal in words is its reason, a panic its meaning', async () => {
  equal(cause(await refusal(probe.read.complain()), viem.ContractFunctionRevertedError).reason, 'not today')
  const panic = cause(await refusal(probe.read.divide([1n, 0n])), viem.ContractFunctionRevertedError)
  holds(/divi(sion|de)/i.test(panic.reason), panic.reason)
})
await check('viem: a transaction that would fail is not sent', async () => {
  const error = await refusal(probe.write.storeAndComplain([3n]))
  holds(error.message.includes('not today'), error.message)
})
await check('viem: a transaction that fails is known by its receipt', async () => {
  const receipt = await done(await probe.write.storeAndComplain([3n], { gas: 100_000n }))
  equal(receipt.status, 'reverted')
})
await check('viem: what is wrong with a transaction has a type of its own', async () => {
  const poor = viem.createWalletClient({ account: privateKeyToAccount(generatePrivateKey()), chain, transport })
  const plain = { to: account.address, value: 1n, gas: 21_000n }
  const funds = await refusal(poor.sendTransaction(plain))
  holds(cause(funds, viem.InsufficientFundsError), funds.message)
  const nonce = await refusal(wallet.sendTransaction({ ...plain, nonce: 0 }))
  holds(cause(nonce, viem.NonceTooLowError), nonce.message)
})
await check('viem: tuples and octets there and back', async () => {
  const [pair, octets] = await probe.read.echo([{ left: 2n ** 255n, right: 'Grüße' }, '0x00ff'])
  equal([pair.left === 2n ** 255n, pair.right, octets], [true, 'Grüße', '0x00ff'])
})
await check('viem: events are queried by their arguments', async () => {
  await done(await probe.write.store([2n, 20n, 'second']))
  const range = { fromBlock: birth.blockNumber, toBlock: 'latest' }
  const all = await probe.getEvents.Stored({}, range)
  equal(all.map(({ args }) => args.note), ['viem', 'second'])
  const some = await probe.getEvents.Stored({ key: [2n, 3n] }, range)
  equal(some.map(({ args }) => args.value), [20])
  equal(await client.getLogs({ address, ...range, blockHash: undefined, event: viem.parseAbiItem('event Nothing()') }), [])
})
await check('viem: a call in the past, and slots', async () => {
  const { blockNumber } = birth
  equal(await probe.read.value({ blockNumber }), 7)
  equal(await client.getStorageAt({ address, slot: '0x0', blockNumber }), word(7))
  equal(await client.getCode({ address, blockNumber: blockNumber - 1n }), undefined)
})
await check('viem: a proof of its own contract', async () => {
  const { stateRoot, number } = await client.getBlock()
  await client.getProof({ address, storageKeys: [word(0)], blockNumber: number })
  verify(await lib.send('eth_getProof', [address, [word(0)], viem.toHex(number)]), stateRoot, lib)
})
await check('viem: state overrides', async () => {
  const value = await client.readContract({
    address,
    abi,
    functionName: 'value',
    stateOverride: [{ address, stateDiff: [{ slot: word(0), value: word(77) }] }],
  })
  equal(value, 77)
})
await check('viem: an access list', async () => {
  const data = viem.encodeFunctionData({ abi, functionName: 'store', args: [1n, 2n, 'listed'] })
  const { accessList } = await client.createAccessList({ account, to: address, data })
  equal(accessList.find((one) => viem.isAddressEqual(one.address, address)).storageKeys.length, 2)
})
await check('viem: simulated blocks', async () => {
  const data = viem.encodeFunctionData({ abi, functionName: 'store', args: [1n, 99n, 'simulated'] })
  const [block] = await client.simulateBlocks({
    blocks: [{ calls: [{ account, to: address, data }, { account, to: address, abi, functionName: 'value' }] }],
  })
  equal([block.calls[0].status, block.calls[1].result], ['success', 99])
})
for (const type of TYPES)
  await check(`viem: a wallet sends ${type}`, async () => {
    const accessList = type === 'eip2930' ? [{ address, storageKeys: [] }] : undefined
    const receipt = await done(await wallet.sendTransaction({ to: account.address, value: 1n, type, accessList }))
    equal([receipt.type, receipt.status], [type, 'success'])
  })
await check('viem: type 4 gives an account code (EIP-7702)', async () => {
  const owner = privateKeyToAccount(generatePrivateKey())
  const authorization = await owner.signAuthorization({ contractAddress: address, chainId: id, nonce: 0 })
  const receipt = await done(
    await wallet.sendTransaction({ to: account.address, authorizationList: [authorization], gas: 200_000n }),
  )
  equal([receipt.type, receipt.status], ['eip7702', 'success'])
  equal(await client.getCode({ address: owner.address }), `0xef0100${address.slice(2).toLowerCase()}`)
  const { authorizationList } = await client.getTransaction({ hash: receipt.transactionHash })
  holds(viem.isAddressEqual(authorizationList[0].address, address), 'the authorisation is shown')
})
await check('viem: requests of one moment go as one batch', async () => {
  const batching = viem.createPublicClient({ chain, transport: viem.http(HTTP, { batch: true, retryCount: 0, onFetchRequest }) })
  let batches = 0
  function onFetchRequest(_, { body }) {
    if (Array.isArray(JSON.parse(body))) batches += 1
  }
  const [number, balance, code] = await Promise.all([
    batching.getBlockNumber(),
    batching.getBalance({ address }),
    batching.getCode({ address }),
  ])
  holds(number > 0n && balance >= 5n && code.length > 2 && batches > 0, `${batches} batches`)
})
await check('viem: events are told by a filter', async () => {
  const told = []
  const stop = probe.watchEvent.Paid({}, { onLogs: (logs) => told.push(...logs), poll: true, pollingInterval: 100 })
  // The filter is there when the first changes have been asked for.
  await new Promise((resolve) => setTimeout(resolve, 400))
  await done(await probe.write.pay({ value: 77n }))
  await until('the event', () => told.length > 0)
  stop()
  equal(told[0].args, { who: account.address, amount: 77 })
})

// The same library over WebSocket.
const socket = viem.createPublicClient({ chain, transport: viem.webSocket(WS, { retryCount: 0, reconnect: false }) })

await check('viem: a WebSocket answers as HTTP does', async () => {
  equal(await socket.getChainId(), id)
  const block = await socket.getBlock()
  equal((await client.getBlock({ blockNumber: block.number })).hash, block.hash)
})
await check('viem: new blocks are told over WebSocket', async () => {
  const told = []
  const stop = socket.watchBlocks({ onBlock: (block) => told.push(block.hash), emitOnBegin: true })
  await until('the first', () => told.length > 0)
  const { blockHash } = await done(await probe.write.store([3n, 30n, 'told']))
  await until('the block', () => told.includes(blockHash))
  stop()
})
await check('viem: logs are told over WebSocket', async () => {
  const told = []
  const filter = { address, topics: [lib.topic('Stored'), null, word(4)] }
  const { unsubscribe } = await socket.transport.subscribe({
    params: ['logs', filter],
    onData: ({ result }) => told.push(result),
  })
  await done(await probe.write.store([5n, 50n, 'not asked for']))
  const { transactionHash } = await done(await probe.write.store([4n, 40n, 'asked for']))
  await until('the log', () => told.length > 0)
  equal(told.map((log) => [log.transactionHash, log.removed]), [[transactionHash, false]])
  await unsubscribe()
})
await check('viem: heads that are told are those of the blocks', async () => {
  const told = []
  const { unsubscribe } = await socket.transport.subscribe({ params: ['newHeads'], onData: ({ result }) => told.push(result) })
  const { blockHash } = await done(await probe.write.store([6n, 60n, 'headed']))
  const head = await until('the head', () => told.find(({ hash }) => hash === blockHash))
  const block = await lib.send('eth_getBlockByHash', [blockHash, false])
  for (const field of ['number', 'parentHash', 'stateRoot', 'timestamp', 'gasUsed', 'logsBloom', 'baseFeePerGas'])
    equal(head[field], block[field], field)
  await unsubscribe()
})
await check('viem: pending transactions are told over WebSocket', async () => {
  const told = []
  const { unsubscribe } = await socket.transport.subscribe({
    params: ['newPendingTransactions'],
    onData: ({ result }) => told.push(result),
  })
  const hash = await wallet.sendTransaction({ to: account.address, value: 1n })
  await until('the hash', () => told.includes(hash))
  await unsubscribe()
  await done(hash)
})

finish()
