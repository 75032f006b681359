// Compiles Probe.sol with the solc of npm: compile.mjs OUT
//
// OUT becomes {"Probe": {"abi": [...], "bytecode": "0x..."}, "Child": {...}}. Paris: the code runs on chains of every
// fork that a development chain may stand at.

import { readFileSync, writeFileSync } from 'node:fs'
import { library } from './judge.mjs'

const solc = library('solc')
const source = new URL('Probe.sol', import.meta.url)
const input = {
  language: 'Solidity',
  sources: { 'Probe.sol': { content: readFileSync(source, 'utf8') } },
  settings: {
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  },
}
const output = JSON.parse(solc.compile(JSON.stringify(input)))
const errors = (output.errors ?? []).filter((error) => error.severity === 'error')
if (errors.length > 0) {
  console.error(errors.map((error) => error.formattedMessage).join('\n'))
  process.exit(1)
}
const contracts = Object.entries(output.contracts['Probe.sol']).map(([name, contract]) => [
  name,
  { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` },
])
writeFileSync(process.argv[2], JSON.stringify(Object.fromEntries(contracts)))
