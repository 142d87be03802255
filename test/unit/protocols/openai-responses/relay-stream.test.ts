/** The relay lane: untouched bytes, keep-alives, failures of our own, rising numbers. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"

import { brokenResponsesInvariants } from "../../../support/responses-invariants.ts"
import { makeContext, readFailure } from "../../../support/scenarios.ts"
import { readEvents } from "../../../support/sse.ts"

const encoder = new TextEncoder()
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")
const frame = (event: { readonly type: string }) =>
  encoder.encode(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)

const response = { id: "resp_1", object: "response", created_at: 1_790_000_000, model: "gpt-5.5", output: [] }
const created = (sequence: number) =>
  frame({ type: "response.created", sequence_number: sequence, response } as { type: string })
const delta = (sequence: number, part = "é") =>
  frame({
    type: "response.output_text.delta",
    sequence_number: sequence,
    output_index: 0,
    content_index: 0,
    delta: part,
  } as { type: string })
const completed = (sequence: number) =>
  frame({ type: "response.completed", sequence_number: sequence, response: { ...response, status: "completed" } } as {
    type: string
  })

const codex = makeContext({ codexClient: true })
const other = makeContext()
const lost = new GatewayError("timeout", "The upstream fell silent.", { code: "upstream_timeout" })

describe("bytes", () => {
  test("that need no change are returned as the very same object", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    const head = created(0)
    expect(relay.feed(head)).toBe(head)
    for (let sequence = 1; sequence < 10; sequence += 2) {
      const chunk = Buffer.concat([delta(sequence), delta(sequence + 1)])
      expect(relay.feed(chunk)).toBe(chunk)
    }
  })

  test("of an unfinished frame wait for its end", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    relay.feed(created(0))
    const whole = Buffer.concat([delta(1), delta(2)])
    const out = [relay.feed(whole.subarray(0, whole.length - 20)), relay.feed(whole.subarray(whole.length - 20))]
    expect(text(out[0] as Uint8Array)).toBe(text(delta(1)))
    expect(text(out[1] as Uint8Array)).toBe(text(delta(2)))
  })

  test("after the terminal event are dropped", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    relay.feed(created(0))
    const sent = text(relay.feed(Buffer.concat([completed(1), delta(2)])))
    expect(readEvents(sent).map(event => event.event)).toEqual(["response.completed"])
    expect(relay.state().finished).toBe(true)
    expect(relay.feed(delta(3)).length + relay.end().length + relay.keepAlive().length + relay.fail(lost).length).toBe(
      0,
    )
  })
})

describe("a keep-alive", () => {
  test("is a comment before response.created and an event with the next number after it", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    expect(text(relay.keepAlive())).toBe(": keepalive\n\n")
    relay.feed(created(0))
    relay.feed(delta(1))
    expect(text(relay.keepAlive())).toBe('event: keepalive\ndata: {"type":"keepalive","sequence_number":2}\n\n')
  })

  test("moves the numbers of all later events up, and no event is lost", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    const parts = [relay.feed(created(0)), relay.feed(delta(1)), relay.keepAlive(), relay.keepAlive()]
    parts.push(
      relay.feed(Buffer.concat([delta(2), delta(3)])),
      relay.keepAlive(),
      relay.feed(delta(4)),
      relay.feed(completed(5)),
    )
    const sent = parts.map(text).join("")
    expect(brokenResponsesInvariants(sent, other)).toEqual([])
    const numbers = readEvents(sent).map(event => JSON.parse(event.data).sequence_number)
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test("uses a gap the upstream left instead of moving numbers", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    relay.feed(created(0))
    relay.keepAlive()
    const chunk = delta(7)
    expect(relay.feed(chunk)).toBe(chunk)
  })

  test("between the pieces of a frame does not break the frame", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    const late = delta(1)
    const parts = [
      relay.feed(created(0)),
      relay.feed(late.subarray(0, 30)),
      relay.keepAlive(),
      relay.feed(late.subarray(30)),
    ]
    const events = readEvents(parts.map(text).join("")).map(event => event.event)
    expect(events).toEqual(["response.created", "keepalive", "response.output_text.delta"])
  })
})

describe("a failure of ours", () => {
  test("is response.failed for Codex, with the identity of the stream", () => {
    const relay = makeResponsesRelay(codex, { readFailure })
    const sent = text(relay.feed(created(0))) + text(relay.fail(lost))
    expect(brokenResponsesInvariants(sent, codex)).toEqual([])
    const last = JSON.parse(readEvents(sent).at(-1)?.data ?? "")
    expect(last).toMatchObject({ type: "response.failed", sequence_number: 1 })
    expect(last.response).toMatchObject({ id: "resp_1", model: "gpt-5.5", status: "failed", output: [] })
    expect(last.response.error.code).toBe("upstream_timeout")
    expect(relay.state().error).toBe(lost)
  })

  test("is the flat error event for everybody else", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    const sent = text(relay.feed(created(0))) + text(relay.fail(lost))
    expect(JSON.parse(readEvents(sent).at(-1)?.data ?? "")).toEqual({
      type: "error",
      sequence_number: 1,
      code: "upstream_timeout",
      message: "The upstream fell silent.",
      param: null,
    })
  })

  test("opens the stream first when nothing has been sent to Codex", () => {
    const sent = text(makeResponsesRelay(codex, { readFailure }).fail(lost))
    expect(readEvents(sent).map(event => event.event)).toEqual(["response.created", "response.failed"])
    expect(brokenResponsesInvariants(sent, codex)).toEqual([])
  })
})

describe("an upstream failure", () => {
  const overloaded = frame({
    type: "error",
    error: { code: "server_is_overloaded", message: "busy, jo@example.com" },
  } as { type: string })

  test("reaches Codex as response.failed with a code on which it tries again", () => {
    const relay = makeResponsesRelay(codex, { readFailure })
    relay.feed(created(0))
    const last = JSON.parse(readEvents(text(relay.feed(overloaded))).at(-1)?.data ?? "")
    expect(last.type).toBe("response.failed")
    expect(last.response.error.code).toBe("server_error")
  })

  test("is told once, without addresses, and keeps its code for others", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    relay.feed(created(0))
    const sent = text(relay.feed(overloaded)) + text(relay.feed(frame({ type: "response.failed" })))
    expect(readEvents(sent).length).toBe(1)
    expect(sent).toContain('"code":"server_is_overloaded"')
    expect(sent).not.toContain("example.com")
  })
})

describe("private events", () => {
  const limits = frame({ type: "codex.rate_limits", plan_type: "plus" } as { type: string })

  test("reach Codex and nobody else, also before response.created", () => {
    expect(text(makeResponsesRelay(codex, { readFailure }).feed(limits))).toBe(text(limits))
    expect(makeResponsesRelay(other, { readFailure }).feed(limits).length).toBe(0)
  })
})

describe("the observer", () => {
  test("knows model, tier and usage after the terminal event", () => {
    const relay = makeResponsesRelay(other, { readFailure })
    relay.feed(created(0))
    const usage = { input_tokens: 7, output_tokens: 3, total_tokens: 10 }
    relay.feed(
      frame({ type: "response.completed", response: { ...response, usage, service_tier: "priority" } } as {
        type: string
      }),
    )
    expect(relay.state()).toEqual({
      finished: true,
      upstreamModel: "gpt-5.5",
      serviceTier: "priority",
      usage: { inputTokens: 7, inputCachedTokens: 0, outputTokens: 3, reasoningTokens: 0 },
    })
  })
})

describe("the terminal response", () => {
  const item = (id: string | undefined) => ({
    ...(id !== undefined && { id }),
    type: "function_call",
    call_id: "c",
    name: "n",
    arguments: "{}",
  })
  const itemDone = (index: number | undefined, id: string | undefined) =>
    frame({ type: "response.output_item.done", output_index: index, item: item(id) } as { type: string })

  function outputIds(...chunks: readonly Uint8Array[]): readonly string[] {
    const collector = makeResponsesCollector(other, { readFailure })
    for (const chunk of [created(0), ...chunks, completed(9)]) collector.feed(chunk)
    return JSON.parse(collector.finish()).output.map((entry: { id: string }) => entry.id)
  }

  test("lists finished items by output index, those without one last, and gives ids to those without", () => {
    expect(outputIds(itemDone(2, "b"), itemDone(undefined, "z"), itemDone(0, "a"))).toEqual(["a", "b", "z"])
    expect(outputIds(itemDone(0, undefined))).toEqual(["item_req_0123456789ab_0"])
  })

  test("keeps the texts of finished items as the upstream wrote them", () => {
    const odd = '{"id":"x","type":"compaction","n":1.50e1,"s":"\\u00e9\\/","b":9007199254740993}'
    const collector = makeResponsesCollector(other, { readFailure })
    collector.feed(created(0))
    collector.feed(encoder.encode(`data: {"type":"response.output_item.done","output_index":0,"item":${odd}}\n\n`))
    collector.feed(completed(2))
    expect(collector.finish()).toContain(`"output":[${odd}]`)
  })

  test("is a failure when the stream broke off", () => {
    const collector = makeResponsesCollector(other, { readFailure })
    collector.feed(created(0))
    collector.feed(delta(1))
    expect(() => collector.finish()).toThrow("connection lost")
  })
})
