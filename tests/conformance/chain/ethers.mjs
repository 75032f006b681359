// ethers 6 as a judge: node ethers.mjs HTTP WS

import { check, contracts, equal, finish, holds, HTTP, library, MNEMONIC, refusal, until, word, WS } from './judge.mjs'
import { verify } from './proof.mjs'
import { wire } from './wire.mjs'

const ethers = library('ethers')
const { Probe } = contracts()
const options = { cacheTimeout: -1, pollingInterval: 100, staticNetwork: true }
const network = ethers.Network.from(Number(await new ethers.JsonRpcProvider(HTTP).send('eth_chainId', [])))
const provider = new ethers.JsonRpcProvider(HTTP, network, options)
const wallets = [0, 1, 2].map((n) => ethers.HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${n}`).connect(provider))
const abi = new ethers.Interface(Probe.abi)
const values = (result) => result.toArray()

const account = ({ address, signingKey }) => ({
  address,
  signHash: (hash) => signingKey.sign(hash),
  sign: ({ gas, accessList = [], ...fields }) => {
    const transaction = ethers.Transaction.from({ ...fields, gasLimit: gas, ...(fields.type ? { accessList } : {}) })
    transaction.signature = signingKey.sign(transaction.unsignedHash)
    return transaction.serialized
  },
})

const lib = {
  send: (method, params) => provider.send(method, params),
  // An error of the node stands in `error` (a request) or in `info.error` (ethers has made it one of its own).
  fault: (error) => error.error ?? error.info?.error ?? error,
  accounts: wallets.map(account),
  fresh: () => account(ethers.Wallet.createRandom()),
  keccak: ethers.keccak256,
  encode: ethers.encodeRlp,
  decode: ethers.decodeRlp,
  call: (name, args) => abi.encodeFunctionData(name, args),
  read: (name, data) => values(abi.decodeFunctionResult(name, data)),
  error: (name, data) => values(abi.decodeErrorResult(name, data)),
  event: (name, log) => values(abi.decodeEventLog(name, log.data, log.topics)).slice(2),
  topic: (name) => abi.getEvent(name).topicHash,
  create: (from, nonce) => ethers.getCreateAddress({ from, nonce }),
  slot: (key) => ethers.keccak256(ethers.concat([word(key), word(1)])),
  address: ethers.getAddress,
}

await wire(lib)

// What only ethers does, with a contract and a sender of its own.
const sender = wallets[0]
const factory = new ethers.ContractFactory(Probe.abi, Probe.bytecode, sender)
const probe = await factory.deploy(7, { value: 5 })
await probe.waitForDeployment()

await check('ethers: a contract is deployed and found', async () => {
  const receipt = await probe.deploymentTransaction().wait()
  equal(receipt.contractAddress, await probe.getAddress())
  equal(await provider.getBalance(probe), 5)
  equal(await probe.value(), 7)
})
await check('ethers: networks, fees and blocks are understood', async () => {
  equal((await provider.getNetwork()).chainId, network.chainId)
  const fees = await provider.getFeeData()
  holds(fees.gasPrice > 0n && fees.maxFeePerGas > fees.maxPriorityFeePerGas, 'fees of both kinds')
  const block = await provider.getBlock('latest', true)
  equal(block.prefetchedTransactions.length, block.length)
  holds(block.date.getTime() > 0 && block.gasLimit > 0n, 'a date and a limit')
})
await check('ethers: a block that is not there yet is understood', async () => {
  const latest = await provider.getBlock('latest')
  const pending = await provider.getBlock('pending', true)
  holds(pending.number > latest.number, `pending ${pending.number} > latest ${latest.number}`)
  equal([pending.hash, pending.prefetchedTransactions.length], [null, pending.length])
  holds((await provider.getBalance(sender.address, 'pending')) > 0n, 'a balance')
})
await check('ethers: a transaction is filled in, sent and waited for', async () => {
  const response = await probe.store(1, 10, 'ethers')
  const receipt = await response.wait()
  equal([receipt.status, receipt.logs.length, response.type], [1, 1, 2])
  equal((await response.getBlock()).hash, receipt.blockHash)
  equal(await receipt.confirmations() >= 1, true)
  const { args, fragment } = receipt.logs[0]
  equal([fragment.name, args.who, args.key, args.value, args.note], ['Stored', sender.address, 1, 10, 'ethers'])
})
await check('ethers: a custom error has its name and its arguments', async () => {
  const error = await refusal(probe.refuse.staticCall(42))
  equal([error.code, error.revert.name, error.revert.args.toArray()], ['CALL_EXCEPTION', 'Refused', [42, 'as asked']])
})
await check('ethers: a refusal in words is its reason, a panic its meaning', async () => {
  equal((await refusal(probe.complain.staticCall())).reason, 'not today')
  const panic = await refusal(probe.divide.staticCall(1, 0))
  holds(/divi(sion|de)/i.test(panic.reason), panic.reason)
})
await check('ethers: a transaction that would fail is not sent', async () => {
  const before = await sender.getNonce()
  const error = await refusal(probe.storeAndComplain(3))
  equal([error.code, error.reason, await sender.getNonce()], ['CALL_EXCEPTION', 'not today', before])
})
await check('ethers: a transaction that fails is known by its receipt', async () => {
  const response = await probe.storeAndComplain(3, { gasLimit: 100_000 })
  const error = await refusal(response.wait())
  equal([error.code, error.receipt.status], ['CALL_EXCEPTION', 0])
})
await check('ethers: insufficient funds and used nonces have codes of their own', async () => {
  const poor = ethers.Wallet.createRandom().connect(provider)
  const plain = { to: sender.address, gasLimit: 21_000, value: 1 }
  equal((await refusal(poor.sendTransaction(plain))).code, 'INSUFFICIENT_FUNDS')
  equal((await refusal(sender.sendTransaction({ ...plain, nonce: 0 }))).code, 'NONCE_EXPIRED')
})
await check('ethers: tuples and octets there and back', async () => {
  const [pair, octets] = await probe.echo({ left: 2n ** 255n, right: 'Grüße' }, '0x00ff')
  equal([pair.left === 2n ** 255n, pair.right, octets], [true, 'Grüße', '0x00ff'])
})
await check('ethers: events are queried by their arguments', async () => {
  await (await probe.store(2, 20, 'second')).wait()
  const from = (await probe.deploymentTransaction().wait()).blockNumber
  const all = await probe.queryFilter('Stored', from)
  equal(all.map((event) => event.args.note), ['ethers', 'second'])
  const some = await probe.queryFilter(probe.filters.Stored(null, [2, 3]), from, 'latest')
  equal(some.map((event) => event.args.value), [20])
})
await check('ethers: a call in the past, and slots', async () => {
  const { blockNumber } = await probe.deploymentTransaction().wait()
  equal(await probe.value({ blockTag: blockNumber }), 7)
  equal(await provider.getStorage(probe, 0, blockNumber), word(7))
  equal(await provider.getCode(probe, blockNumber - 1), '0x')
})
await check('ethers: a proof of its own contract', async () => {
  const [address, { stateRoot, number }] = [await probe.getAddress(), await provider.getBlock('latest')]
  const proof = await provider.send('eth_getProof', [address, [word(0)], ethers.toQuantity(number)])
  verify(proof, stateRoot, lib)
})
for (const type of [0, 1, 2])
  await check(`ethers: a wallet sends type ${type}`, async () => {
    const receipt = await (await sender.sendTransaction({ to: wallets[2].address, value: 1, type })).wait()
    equal([receipt.type, receipt.gasUsed], [type, 21_000])
  })
await check('ethers: type 4 gives an account code (EIP-7702)', async () => {
  const owner = ethers.Wallet.createRandom().connect(provider)
  const address = await probe.getAddress()
  const authorization = owner.authorizeSync({ address, nonce: 0, chainId: network.chainId })
  const receipt = await (
    await sender.sendTransaction({ type: 4, to: sender.address, authorizationList: [authorization], gasLimit: 200_000 })
  ).wait()
  equal([receipt.type, receipt.status], [4, 1])
  equal(await provider.getCode(owner.address), `0xef0100${address.slice(2).toLowerCase()}`)
  equal(await provider.getTransactionCount(owner.address), 1)
  const own = probe.attach(owner.address)
  await (await own.store(1, 5, 'delegated')).wait()
  equal([await own.value(), (await probe.value()) === 5n], [5, false])
  const shown = await provider.getTransaction(receipt.hash)
  equal(shown.authorizationList[0].address, address)
})
await check('ethers: requests of one moment go as one batch', async () => {
  const batching = new ethers.JsonRpcProvider(HTTP, network, { ...options, batchStallTime: 20 })
  let batches = 0
  batching.on('debug', ({ action, payload }) => {
    if (action === 'sendRpcPayload' && Array.isArray(payload)) batches += 1
  })
  const [number, balance, code, count] = await Promise.all([
    batching.getBlockNumber(),
    batching.getBalance(sender.address),
    batching.getCode(probe),
    batching.getTransactionCount(sender.address),
  ])
  holds(number > 0 && balance > 0n && code.length > 2 && count > 0 && batches > 0, `${batches} batches`)
  batching.destroy()
})
await check('ethers: a nonce manager sends several at once', async () => {
  const manager = new ethers.NonceManager(wallets[2])
  const sent = await Promise.all([1, 2, 3].map((value) => manager.sendTransaction({ to: sender.address, value })))
  const receipts = await Promise.all(sent.map((response) => response.wait()))
  equal(receipts.map((receipt) => receipt.status), [1, 1, 1])
})
await check('ethers: events are told by polling', async () => {
  const told = []
  await probe.on('Paid', (who, amount) => told.push([who, amount]))
  await (await probe.pay({ value: 77 })).wait()
  await until('the event', () => told.length > 0)
  equal(told[0], [sender.address, 77])
  await probe.removeAllListeners()
})

// The same library over WebSocket.
const socket = new ethers.WebSocketProvider(WS, network, { cacheTimeout: -1 })

await check('ethers: a WebSocket answers as HTTP does', async () => {
  equal(await socket.send('eth_chainId', []), await provider.send('eth_chainId', []))
  const block = await socket.getBlock('latest')
  equal((await provider.getBlock(block.number)).hash, block.hash)
  const error = await refusal(probe.connect(socket).refuse.staticCall(1))
  equal(error.revert.name, 'Refused')
})
await check('ethers: new blocks are told over WebSocket', async () => {
  const told = []
  await socket.on('block', (number) => told.push(number))
  const receipt = await (await probe.store(3, 30, 'told')).wait()
  await until('the block', () => told.includes(receipt.blockNumber))
  await socket.off('block')
})
await check('ethers: logs are told over WebSocket', async () => {
  const told = []
  const live = probe.connect(socket)
  await live.on(live.filters.Stored(null, 4), ({ args }) => told.push([args.key, args.value]))
  // The subscription is there when a later request on its connection is answered.
  await socket.getBlockNumber()
  await (await probe.store(5, 50, 'not asked for')).wait()
  await (await probe.store(4, 40, 'asked for')).wait()
  await until('the log', () => told.length > 0)
  equal(told, [[4, 40]])
  await live.removeAllListeners()
})
await check('ethers: pending transactions are told over WebSocket', async () => {
  const told = []
  await socket.on('pending', (hash) => told.push(hash))
  await socket.getBlockNumber()
  const response = await sender.sendTransaction({ to: sender.address, value: 1 })
  await until('the hash', () => told.includes(response.hash))
  await response.wait()
})

finish()
