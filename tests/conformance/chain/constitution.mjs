// Compiles the contract that holds a chain's constitution with the solc of npm: constitution.mjs OUT
//
// OUT becomes its runtime bytecode, hexadecimal in lines of 120 characters. Paris: the code runs on chains of every fork
// that validators can begin at.

import { readFileSync, writeFileSync } from 'node:fs'
import { library } from './judge.mjs'

const solc = library('solc')
const name = 'Constitution.sol'
const source = new URL(`../../../crates/chain/core/contract/${name}`, import.meta.url)
const input = {
  language: 'Solidity',
  sources: { [name]: { content: readFileSync(source, 'utf8') } },
  settings: {
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: 'none', appendCBOR: false },
    outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } },
  },
}
const output = JSON.parse(solc.compile(JSON.stringify(input)))
if (output.errors?.length > 0) {
  console.error(output.errors.map((error) => error.formattedMessage).join('\n'))
  process.exit(1)
}
const code = output.contracts[name].Constitution.evm.deployedBytecode.object
writeFileSync(process.argv[2], `${code.match(/.{1,120}/g).join('\n')}\n`)
