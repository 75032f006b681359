// Walks a Merkle-Patricia proof (yellow paper, appendix D) and rebuilds a block's hash, with nothing of the node's but its
// answers. `tools` has `keccak(hex)`, `encode(tree)` and `decode(hex)` of RLP.

const nibbles = (hex) => [...hex.slice(2)].map((digit) => parseInt(digit, 16))

/** The value below `key` (already hashed) in the trie of `root`, or null when the proof shows that there is none. */
export function walk(root, key, nodes, tools) {
  if (nodes.length === 0) {
    if (root !== tools.keccak('0x80')) throw new Error(`no proof nodes, and ${root} is not the empty trie`)
    return null
  }
  const path = nibbles(key)
  let [at, next] = [0, 0]
  let node = load(root)
  for (;;) {
    const step = node.length === 17 ? branch() : short()
    if (step.ended) {
      if (at !== nodes.length) throw new Error(`${nodes.length - at} proof nodes lead nowhere`)
      return step.value
    }
    // A node of less than 32 octets stands in its parent.
    node = Array.isArray(step.child) ? step.child : load(step.child)
  }

  function load(hash) {
    const encoded = nodes[at]
    if (!encoded) throw new Error(`the proof ends before ${hash}`)
    const found = tools.keccak(encoded)
    if (found !== hash) throw new Error(`proof node ${at} has hash ${found}, its parent names ${hash}`)
    at += 1
    return tools.decode(encoded)
  }

  function branch() {
    if (next === path.length) return { ended: true, value: node[16] === '0x' ? null : node[16] }
    const child = node[path[next]]
    next += 1
    return child.length === 0 || child === '0x' ? { ended: true, value: null } : { child }
  }

  function short() {
    const [flag, ...rest] = nibbles(node[0])
    const part = flag & 1 ? rest : rest.slice(1)
    const same = part.every((nibble, index) => nibble === path[next + index])
    if (!same) return { ended: true, value: null }
    next += part.length
    return flag & 2 ? { ended: true, value: node[1] } : { child: node[1] }
  }
}

/** A number as RLP has it: without leading zeros. */
export const quantity = (number) => {
  const digits = BigInt(number).toString(16).replace(/^0+/, '')
  return digits === '' ? '0x' : `0x${digits.length % 2 ? '0' : ''}${digits}`
}

/** Checks an answer of eth_getProof against a state root. */
export function verify(proof, stateRoot, tools) {
  const found = walk(stateRoot, tools.keccak(proof.address), proof.accountProof, tools)
  const account = tools.encode([quantity(proof.nonce), quantity(proof.balance), proof.storageHash, proof.codeHash])
  const empty = BigInt(proof.nonce) === 0n && BigInt(proof.balance) === 0n && proof.storageProof.length === 0
  if (found !== account && !(found === null && empty)) throw new Error(`the trie has ${found}, the answer ${account}`)
  for (const slot of proof.storageProof) {
    const key = `0x${slot.key.slice(2).padStart(64, '0')}`
    const value = walk(proof.storageHash, tools.keccak(key), slot.proof, tools)
    const wanted = BigInt(slot.value) === 0n ? null : tools.encode(quantity(slot.value))
    if (value !== wanted) throw new Error(`slot ${slot.key}: the trie has ${value}, the answer ${wanted}`)
  }
  return found
}

/** Keccak of the header's RLP, of as many fields as the block has (EIP-1559, 4895, 4844, 4788, 7685). */
export function headerHash(block, tools) {
  const octets = (name) => block[name]
  const number = (name) => quantity(block[name])
  const fields = [
    ...['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom'].map(octets),
    ...['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp'].map(number),
    ...['extraData', 'mixHash', 'nonce'].map(octets),
  ]
  const later = [
    ['baseFeePerGas', number],
    ['withdrawalsRoot', octets],
    ['blobGasUsed', number],
    ['excessBlobGas', number],
    ['parentBeaconBlockRoot', octets],
    ['requestsHash', octets],
  ]
  for (const [name, read] of later) if (block[name] !== undefined && block[name] !== null) fields.push(read(name))
  return tools.keccak(tools.encode(fields))
}
