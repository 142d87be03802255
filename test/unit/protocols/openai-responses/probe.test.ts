/** The head of an answer is held until it is known to be output. */

import { describe, expect, test } from "bun:test"

import { makeResponsesProbe } from "#protocols/openai-responses/probe.ts"
import type { ProbeResult } from "#protocols/protocol.ts"

const encoder = new TextEncoder()
const created = { type: "response.created", response: { id: "resp_1" } }
const inProgress = { type: "response.in_progress", response: { id: "resp_1" } }

function frames(...events: readonly object[]): string {
  return events.map(event => `data: ${JSON.stringify(event)}\n\n`).join("")
}

/** What the probe says after all of `text`, fed byte by byte. */
function probe(text: string): ProbeResult {
  const it = makeResponsesProbe()
  let result: ProbeResult = { type: "hold" }
  for (const byte of encoder.encode(text)) {
    result = it.feed(Uint8Array.of(byte))
    if (result.type !== "hold") break
  }
  return result
}

describe("a head", () => {
  test("of lifecycle, quota and keep-alive events is held", () => {
    const quiet = [
      created,
      inProgress,
      { type: "codex.rate_limits" },
      { type: "response.metadata" },
      { type: "keepalive" },
    ]
    expect(probe(frames(...quiet))).toEqual({ type: "hold" })
  })

  test("with an output item is output", () => {
    expect(probe(frames(created, { type: "response.output_item.added", item: {} }))).toEqual({ type: "output" })
  })

  test("with an error is a failure, as told by the event", () => {
    const error = {
      type: "error",
      error: { code: "server_is_overloaded", message: "busy", type: "service_unavailable_error" },
    }
    expect(probe(frames(created, inProgress, error))).toEqual({
      type: "failure",
      failure: { status: 200, code: "server_is_overloaded", type: "service_unavailable_error", message: "busy" },
    })
  })

  test("with a failed response is a failure with its reset time", () => {
    const error = { type: "usage_limit_reached", message: "spent", plan_type: "plus", resets_at: 1_790_000_000 }
    expect(probe(frames({ type: "response.failed", response: { error } }))).toEqual({
      type: "failure",
      failure: {
        status: 200,
        type: "usage_limit_reached",
        message: "spent",
        planType: "plus",
        resetsAtSec: 1_790_000_000,
      },
    })
  })

  test("with a wrapped error has the status of the wrapper", () => {
    const result = probe(
      frames({ type: "error", status: 429, error: { code: "rate_limit_exceeded", message: "slow" } }),
    )
    expect(result).toEqual({ type: "failure", failure: { status: 429, code: "rate_limit_exceeded", message: "slow" } })
  })

  test("that ends at once is empty, unless the terminal response has items or was cut short", () => {
    const end = (type: string, output: readonly object[]) => frames(created, { type, response: { output } })
    expect(probe(end("response.completed", []))).toEqual({ type: "empty" })
    expect(probe(end("response.done", []))).toEqual({ type: "empty" })
    expect(probe(end("response.completed", [{}]))).toEqual({ type: "output" })
    expect(probe(end("response.incomplete", []))).toEqual({ type: "output" })
  })

  test("that never comes to the point is committed to after 16 events", () => {
    const quiet = Array.from({ length: 16 }, () => inProgress)
    expect(probe(frames(...quiet))).toEqual({ type: "hold" })
    expect(probe(frames(...quiet, inProgress))).toEqual({ type: "output" })
  })

  test("may have any number of comments", () => {
    expect(probe(": ping\n\n".repeat(100))).toEqual({ type: "hold" })
  })

  test("of HTML is a failure at once", () => {
    expect(probe("\n<html>")).toMatchObject({ type: "failure", failure: { html: true } })
  })
})

describe("the end of the body", () => {
  function probeWhole(text: string): ProbeResult {
    const it = makeResponsesProbe()
    it.feed(encoder.encode(text))
    return it.end()
  }

  test("while holding is a broken stream", () => {
    expect(probeWhole(frames(created))).toMatchObject({ type: "failure", failure: { code: "upstream_stream_break" } })
    expect(probeWhole("")).toMatchObject({ type: "failure", failure: { code: "upstream_stream_break" } })
  })

  test("without the last blank line still counts the last event", () => {
    expect(probeWhole('data: {"type":"response.completed","response":{"output":[]}}')).toEqual({ type: "empty" })
  })

  test.each([
    ['{"detail":"Unsupported parameter: n"}', { message: "Unsupported parameter: n" }],
    [
      '{"error":{"message":"no","code":"c","param":"p"},"status":401}',
      { status: 401, message: "no", code: "c", param: "p" },
    ],
    ['{"detail":{"code":"deactivated_workspace"}}', { code: "deactivated_workspace" }],
    ['{"error":"plain"}', { message: "plain" }],
    ['{"cut', { message: "The upstream answered with a JSON body instead of events." }],
  ])("of the JSON body %p is a failure", (body, failure) => {
    expect(probeWhole(body)).toMatchObject({ type: "failure", failure })
  })
})
