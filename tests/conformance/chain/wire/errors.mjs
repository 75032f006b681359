// What is wrong with a request, in JSON-RPC 2.0's own codes; batches; what a browser asks first. No library: they repair.

import { check, equal, hex, holds, HTTP, post, refusal } from '../judge.mjs'

const ask = (id, method, params = []) => ({ jsonrpc: '2.0', id, method, params })

export async function errors(lib, set) {
  const { send } = lib

  await check('an unknown method has code -32601', async () => {
    equal((await post(ask(1, 'eth_doesNotExist'))).json.error.code, -32601)
  })
  await check('wrong parameters have code -32602', async () => {
    for (const [method, params] of [
      ['eth_getBalance', []],
      ['eth_getBalance', ['0x1234', 'latest']],
      ['eth_getBlockByNumber', ['newest', false]],
      ['eth_getTransactionByHash', ['0x12']],
      ['eth_call', ['a call', 'latest']],
      ['eth_getStorageAt', [set.probe, 'zero', 'latest']],
    ]) {
      const { json } = await post(ask(1, method, params))
      equal(json.error?.code, -32602, `code of ${method} ${JSON.stringify(params)}`)
    }
  })
  await check('what is no JSON has code -32700', async () => {
    const { json } = await post('{"jsonrpc": "2.0", ')
    equal([json.error.code, json.id], [-32700, null])
  }, { anvil: 'its code is -32600' })
  await check('what is no request has code -32600', async () => {
    equal((await post('{"id": 1}')).json.error.code, -32600)
    equal((await post('[]')).json.error.code, -32600)
  })
  await check('a batch is answered request by request', async () => {
    const { json } = await post([ask(7, 'eth_chainId'), ask('b', 'eth_doesNotExist'), ask(9, 'eth_blockNumber')])
    const of = (id) => json.find((answer) => answer.id === id)
    equal([json.length, of(7).result, of('b').error.code], [3, hex(set.chainId), -32601])
    holds(of(9).result.startsWith('0x'), 'the third')
  })
  await check('an answer has the id of its request, whatever it is', async () => {
    for (const id of [0, 'text', 9_007_199_254_740_991]) equal((await post(ask(id, 'eth_chainId'))).json.id, id)
  })
  await check('a page of another origin may ask', async () => {
    const answer = await fetch(HTTP, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://wallet.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    holds(answer.ok, `status ${answer.status}`)
    const { headers } = await post(ask(1, 'eth_chainId'), { origin: 'https://wallet.example' })
    holds(['*', 'https://wallet.example'].includes(headers.get('access-control-allow-origin')), 'the origin is allowed')
  })
  await check('state of a block that does not exist is an error', async () => {
    const future = hex(BigInt(set.last.blockNumber) + 1_000_000n)
    for (const [method, params] of [
      ['eth_getBalance', [set.probe, future]],
      ['eth_call', [{ to: set.probe }, future]],
      ['eth_getProof', [set.probe, [], future]],
    ]) {
      const fault = await refusal(send(method, params), lib.fault)
      holds(Number.isInteger(fault.code) && fault.code < 0, `${method}: code ${fault.code}`)
    }
  })
}
