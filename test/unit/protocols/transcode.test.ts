/** Decoder and encoder joined in a pipe, decoder and folder in a collector. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeChatFolder } from "#protocols/openai-chat/fold.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { brokenChatInvariants } from "../../support/chat-invariants.ts"
import { makeContext, readFailure } from "../../support/scenarios.ts"
import { readEvents } from "../../support/sse.ts"

const upstream = { makeDecoder: makeResponsesDecoder }
const client = { makeEncoder: makeChatEncoder, makeFolder: makeChatFolder }
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")
const frame = (event: object) => new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`)

const created = frame({
  type: "response.created",
  response: { id: "resp_1", model: "gpt-5.5", created_at: 1_790_000_000 },
})
const delta = (part: string) => frame({ type: "response.output_text.delta", output_index: 0, delta: part })
const completed = frame({
  type: "response.completed",
  response: { id: "resp_1", usage: { input_tokens: 2, output_tokens: 1 }, service_tier: "priority", output: [] },
})
const lost = new GatewayError("timeout", "The upstream fell silent.", { code: "upstream_timeout" })

describe("the pipe", () => {
  test("sends all events of a chunk in one buffer and nothing for a chunk without output", () => {
    const pipe = makeTranscodePipe({ upstream, client, context: makeContext(), readFailure })
    expect(pipe.feed(created).length).toBe(0)
    const sent = text(pipe.feed(Buffer.concat([delta("a"), delta("b"), completed])))
    expect(readEvents(sent).length).toBe(5)
  })

  test("knows model, tier and usage, and says nothing after the end", () => {
    const pipe = makeTranscodePipe({ upstream, client, context: makeContext(), readFailure })
    pipe.feed(Buffer.concat([created, delta("a"), completed]))
    expect(pipe.state()).toEqual({
      finished: true,
      upstreamModel: "gpt-5.5",
      serviceTier: "priority",
      usage: { inputTokens: 2, inputCachedTokens: 0, outputTokens: 1, reasoningTokens: 0 },
    })
    expect(pipe.feed(delta("late")).length + pipe.end().length + pipe.fail(lost).length + pipe.keepAlive().length).toBe(
      0,
    )
  })

  test("tells a failure of ours as the last frame, without [DONE]", () => {
    const context = makeContext()
    const pipe = makeTranscodePipe({ upstream, client, context, readFailure })
    const sent = text(pipe.feed(Buffer.concat([created, delta("a")]))) + text(pipe.fail(lost))
    expect(brokenChatInvariants(sent, context)).toEqual([])
    expect(JSON.parse(readEvents(sent).at(-1)?.data ?? "").error.code).toBe("upstream_timeout")
    expect(pipe.state().error).toBe(lost)
    expect(pipe.end().length).toBe(0)
  })

  test("keeps a silent connection alive with a comment", () => {
    const pipe = makeTranscodePipe({ upstream, client, context: makeContext(), readFailure })
    expect(text(pipe.keepAlive())).toBe(": keepalive\n\n")
  })

  test("sends one legacy function call only, because the form has room for one", () => {
    const context = makeContext({ legacyFunctions: true })
    const call = (id: string, index: number) =>
      frame({
        type: "response.output_item.done",
        output_index: index,
        item: { type: "function_call", call_id: id, name: id, arguments: "{}" },
      })
    const pipe = makeTranscodePipe({ upstream, client, context, readFailure })
    const sent = text(pipe.feed(Buffer.concat([created, call("one", 0), call("two", 1), completed])))
    expect(sent).toContain('"name":"one"')
    expect(sent).not.toContain("two")
    expect(sent).toContain('"finish_reason":"function_call"')
  })
})

describe("the collector", () => {
  test("gives the folded answer", () => {
    const collector = makeTranscodeCollector({ upstream, client, context: makeContext(), readFailure })
    collector.feed(Buffer.concat([created, delta("a"), delta('"b"'), completed]))
    expect(collector.state().finished).toBe(true)
    expect(JSON.parse(collector.finish()).choices[0].message).toEqual({
      role: "assistant",
      content: 'a"b"',
      refusal: null,
    })
  })

  test("throws when the upstream broke off, and never gives part of an answer", () => {
    const collector = makeTranscodeCollector({ upstream, client, context: makeContext(), readFailure })
    collector.feed(Buffer.concat([created, delta("a")]))
    expect(() => collector.finish()).toThrow(GatewayError)
  })
})
