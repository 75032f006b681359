// Checks of methods, shapes and errors through whatever library asks: the same questions, but each library's own transport,
// signatures, ABI and RLP. A judge gives `lib`:
//
//   send(method, params)      a request through the library
//   fault(error)              {code, message, data} of what `send` threw
//   accounts                  [{address, sign(tx), signHash(hash)}, ...]; tx has type, nonce, to, value, data, gas, fees, accessList
//   fresh()                   one more account that nobody has used
//   keccak, encode, decode    Keccak-256 and RLP over hexadecimal text
//   call(name, args)          data of a call of Probe; read(name, data) what it answered; topic(name) of an event
//   create(from, nonce)       address of a new contract; slot(key) where Probe keeps `table[key]`

import { stage } from './wire/stage.mjs'
import { chain } from './wire/chain.mjs'
import { state } from './wire/state.mjs'
import { logs } from './wire/logs.mjs'
import { calls } from './wire/calls.mjs'
import { pool } from './wire/pool.mjs'
import { traces } from './wire/traces.mjs'
import { errors } from './wire/errors.mjs'

export async function wire(lib) {
  const set = await stage(lib)
  for (const part of [chain, state, logs, calls, pool, traces, errors]) await part(lib, set)
}
