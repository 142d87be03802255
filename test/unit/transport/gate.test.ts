/** A bounded number of requests through one way out at a time. */

import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { UpstreamReply, UpstreamRequest } from "#core/upstream.ts"
import { makeGate } from "#transport/gate.ts"

const REQUEST: UpstreamRequest = { method: "GET", url: "http://upstream.test/", headers: {}, egress: "proxy/one" }
const never = new AbortController().signal

/** A sender whose answers come when the test says so; each has a body of one chunk. */
function slowSender() {
  const sent: { readonly answer: (reply: UpstreamReply) => void; readonly fail: (cause: Error) => void }[] = []
  const send = () => new Promise<UpstreamReply>((answer, fail) => sent.push({ answer, fail }))
  return { send, sent }
}

const reply = (): UpstreamReply => ({
  status: 200,
  headers: new Headers(),
  body: new Response("text").body ?? undefined,
})
const settled = () => new Promise<void>(done => setImmediate(done))

test("what comes after the last free place waits in its order, until an answer has been read to its end", async () => {
  const { send, sent } = slowSender()
  const gate = makeGate(send)
  gate.setMax(1)
  const [first, second] = [gate.pass(REQUEST, never), gate.pass(REQUEST, never)]
  await settled()
  expect(sent).toHaveLength(1)
  sent[0]?.answer(reply())
  const { body } = await first
  await settled()
  expect(sent).toHaveLength(1)
  expect(await new Response(body).text()).toBe("text")
  await settled()
  expect(sent).toHaveLength(2)
  sent[1]?.answer({ status: 204, headers: new Headers(), body: undefined })
  await second
})

test.each([
  ["fails", (one: { fail: (cause: Error) => void } | undefined) => one?.fail(new Error("down"))],
  [
    "has no body",
    (one: { answer: (reply: UpstreamReply) => void } | undefined) =>
      one?.answer({ status: 204, headers: new Headers(), body: undefined }),
  ],
])("a request that %s makes room", async (_, end) => {
  const { send, sent } = slowSender()
  const gate = makeGate(send)
  gate.setMax(1)
  const first = gate.pass(REQUEST, never).catch((cause: unknown) => cause)
  const second = gate.pass(REQUEST, never)
  await settled()
  end(sent[0] as never)
  await first
  await settled()
  expect(sent).toHaveLength(2)
  sent[1]?.answer(reply())
  await second
})

test("a body that nobody wants any more makes room once", async () => {
  const { send, sent } = slowSender()
  const gate = makeGate(send)
  gate.setMax(1)
  const first = gate.pass(REQUEST, never)
  const later = [gate.pass(REQUEST, never), gate.pass(REQUEST, never)]
  await settled()
  sent[0]?.answer(reply())
  const { body } = await first
  await body?.cancel()
  await body?.cancel()
  await settled()
  expect(sent).toHaveLength(2)
  sent[1]?.fail(new Error("down"))
  await later[0]?.catch(() => undefined)
  sent[2]?.answer(reply())
  await later[1]
})

test("who stops waiting is told the reason and takes nobody's place", async () => {
  const { send, sent } = slowSender()
  const gate = makeGate(send)
  gate.setMax(1)
  void gate.pass(REQUEST, never)
  const stop = new AbortController()
  const waiting = gate.pass(REQUEST, stop.signal).catch((cause: unknown) => cause)
  const last = gate.pass(REQUEST, never)
  stop.abort(new GatewayError("timeout", "too late"))
  expect(await waiting).toMatchObject({ kind: "timeout" })
  const gone = await gate.pass(REQUEST, stop.signal).catch((cause: unknown) => cause)
  expect(gone).toMatchObject({ kind: "timeout" })
  sent[0]?.answer({ status: 204, headers: new Headers(), body: undefined })
  await settled()
  expect(sent).toHaveLength(2)
  sent[1]?.answer(reply())
  await last
})

test("without a bound a body is passed on untouched, and lifting the bound lets everybody in", async () => {
  const { send, sent } = slowSender()
  const gate = makeGate(send)
  const answer = reply()
  const free = gate.pass(REQUEST, never)
  sent[0]?.answer(answer)
  expect((await free).body).toBe(answer.body)
  gate.setMax(1)
  const waiting = [1, 2, 3].map(() => gate.pass(REQUEST, never))
  await settled()
  expect(sent).toHaveLength(2)
  gate.setMax(0)
  await settled()
  expect(sent).toHaveLength(4)
  for (const one of sent.slice(1)) one.answer(reply())
  await Promise.all(waiting)
})
