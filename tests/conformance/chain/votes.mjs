// Validators' votes, given and read by ethers 6: node votes.mjs HTTP WS KEY_FILE KEY_FILE KEY_FILE KEY_FILE
//
// The four validators of a chain with a period of 250 ms. They change the period, and then one of them goes.

import { readFileSync } from 'node:fs'
import { check, equal, finish, holds, HTTP, library, until } from './judge.mjs'

const ethers = library('ethers')
const options = { cacheTimeout: -1, pollingInterval: 100, staticNetwork: true }
const network = ethers.Network.from(Number(await new ethers.JsonRpcProvider(HTTP).send('eth_chainId', [])))
const provider = new ethers.JsonRpcProvider(HTTP, network, options)
const voters = process.argv.slice(4).map((file) => new ethers.Wallet(readFileSync(file, 'utf8').trim(), provider))
const contract = new ethers.Contract(
  '0x0000000000000000000000000000507552c14e01',
  [
    'function votePeriod(uint64 ms)',
    'function voteRemove(address who)',
    'function current() view returns (uint64 number, uint64 from, uint64 periodMs, uint64 gasLimit, address[] who, uint64[] power)',
    'function count() view returns (uint256)',
    'function votes(bytes callData) view returns (uint64 power, uint64 quorum, address[] who)',
    'event Voted(address indexed by, bytes callData, uint64 power, uint64 quorum)',
    'event Changed(uint256 indexed version, uint64 from)',
  ],
  provider,
)

const period = (voter) => contract.connect(voter).votePeriod(500, { gasLimit: 3_000_000 })
const gone = (voter) => contract.connect(voter).voteRemove(voters[3].address, { gasLimit: 3_000_000 })
const events = (receipt, name) =>
  receipt.logs.map((log) => contract.interface.parseLog(log)).filter((log) => log?.name === name)
const reason = async (call) => {
  try {
    await call
  } catch (error) {
    return error.reason
  }
  return 'it was not refused'
}
const told = (height) => provider.send('purlin_getValidators', height === undefined ? [] : [ethers.toQuantity(height)])

/** Votes of the first three; the first height that the change counts for. */
const decided = async (vote) => {
  let last
  for (const voter of voters.slice(0, 3)) last = await (await vote(voter)).wait()
  const [changed] = events(last, 'Changed')
  equal(changed.args.from, BigInt(last.blockNumber + 2))
  await until('a block under the new rules', async () => (await provider.getBlockNumber()) > last.blockNumber + 3)
  return last.blockNumber + 2
}

await check('votes: the first version is the genesis document', async () => {
  const { number, periodMs, who, power } = await contract.current()
  equal([number, periodMs, power.length], [0n, 250n, 4])
  holds(voters.every((voter) => who.includes(voter.address)), 'every validator is a member')
})
await check('votes: one is counted, and not twice', async () => {
  const data = contract.interface.encodeFunctionData('votePeriod', [700])
  const receipt = await (await contract.connect(voters[0]).votePeriod(700)).wait()
  const [voted] = events(receipt, 'Voted')
  equal([voted.args.by, voted.args.callData, voted.args.power, voted.args.quorum], [voters[0].address, data, 1n, 3n])
  const { power, quorum, who } = await contract.votes(data)
  equal([power, quorum, [...who]], [1n, 3n, [voters[0].address]])
  equal(await reason(contract.connect(voters[0]).votePeriod.staticCall(700)), 'the sender has voted for this already')
})
await check('votes: nobody else votes', async () => {
  const stranger = contract.connect(ethers.Wallet.createRandom().connect(provider))
  equal(await reason(stranger.votePeriod.staticCall(500)), 'only validators vote, and the sender is none')
})
await check('votes: a quorum changes the period two blocks later', async () => {
  const from = await decided(period)
  equal((await contract.current()).periodMs, 500n)
  equal([(await told(from - 1)).period_ms, (await told(from)).period_ms], [250, 500])
})
await check('votes: a quorum lets a validator go, and the others go on', async () => {
  const from = await decided(gone)
  equal([(await told(from - 1)).validators.length, (await told(from)).validators.length], [4, 3])
  const certificate = await provider.send('purlin_getCertificate', [ethers.toQuantity(from)])
  holds(
    certificate.commits.every(({ validator }) => ethers.getAddress(validator) !== voters[3].address),
    'who has gone signs nothing',
  )
  equal(await contract.count(), 3n)
})

finish()
