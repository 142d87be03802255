/** Carried requests in virtual time: a relay's side and the owner's in one thread, with structured cloning between them. */

import type { RequestId } from "#core/ids.ts"
import { makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import { runSettled } from "#gateway/calls/run-settled.ts"
import { serveTurn } from "#gateway/calls/serve-turn.ts"
import type { Carrier } from "#gateway/turn/carrier.ts"
import { errorResponse } from "#http/errors.ts"
import { upstreamProtocols } from "#protocols/registry.ts"
import type { RequestMessage, RequestOrder } from "#relay/messages.ts"
import { makeRequestDesk } from "#relay/owner/request-desk.ts"
import { Exchange } from "#relay/thread/exchange.ts"
import type { CarriedSender } from "#transport/carried-sender.ts"

import { makeTurnWorld, type WorldOptions } from "./turn-world.ts"

const KIND = { endpoint: "turn", encode: upstreamProtocols["openai-responses"].encodeRequest } as const

/** Builds a world of turns whose clients are connected to a relay. */
export function makeCarriedWorld(options: WorldOptions = {}) {
  const world = makeTurnWorld(options)
  const { clock, timers } = world.time
  const carriers = new WeakMap<Request, Carrier>()
  const exchanges = new Map<number, Exchange>()
  /** Types of all messages: `<` to the owner, `>` to the relay. */
  const said: string[] = []
  let isLost = false

  const desk = makeRequestDesk({
    post: (order: RequestOrder, transfer = []) => {
      said.push(`> ${order.type}`)
      const copy = structuredClone(order, { transfer })
      queueMicrotask(() => exchanges.get(copy.id)?.obey(copy))
    },
    serve: request => serve(request),
    introduce: (request, { carrier }) => carrier !== undefined && carriers.set(request, carrier),
    isReadableByPages: () => false,
  })
  const post = (message: RequestMessage, transfer: ArrayBuffer[] = []) => {
    said.push(`< ${message.type}`)
    const copy = structuredClone(message, { transfer })
    queueMicrotask(() => isLost || desk.hear(copy))
  }
  const send: CarriedSender = async ({ way, body }, signal) => {
    const reply = await world.meet(way, new TextDecoder().decode(body), signal)
    return new Response(reply.body ?? null, { status: reply.status, headers: reply.headers })
  }
  const settings = () => ({ bodyTimeoutMs: 60_000, maxBodyBytes: 1_000_000, carries: true })
  const parts = { clock, timers, heartbeat: makeHeartbeat({ clock, timers }), send, post, settings }

  async function serve(request: Request): Promise<Response> {
    const id = "req_carried" as RequestId
    const protocol = "openai-responses" as const
    const json = await request.json()
    const call = {
      id,
      protocol,
      json,
      headers: request.headers,
      principal: { keyId: "key" },
      signal: request.signal,
      startedAtMs: clock(),
    }
    try {
      const answer = await runSettled(call, world, run =>
        serveTurn(call, KIND, { ...run, carrier: carriers.get(request) }, world.serving),
      )
      return new Response(answer.body, { status: answer.status, headers: answer.headers })
    } catch (cause) {
      return errorResponse(cause, protocol, id)
    }
  }

  let ids = 0
  return {
    ...world,
    said,
    desk,
    /** The relay has died: nothing it says arrives any more. */
    lose: () => {
      isLost = true
      desk.lose()
    },
    /** Sends a request; `client` leaves when it is aborted. */
    open: (body: object = {}, client = new AbortController()): Promise<Response> => {
      ids += 1
      const id = ids
      const asked = { model: "gpt-5.5", input: "question", stream: true, ...body }
      const init = { method: "POST", body: JSON.stringify(asked), signal: client.signal }
      const request = new Request("http://gateway.test/v1/responses", init)
      request.headers.set("content-length", String(init.body.length))
      const exchange = new Exchange({ id, request, peer: undefined, over: () => exchanges.delete(id) }, parts)
      exchanges.set(id, exchange)
      return exchange.response
    },
  }
}
