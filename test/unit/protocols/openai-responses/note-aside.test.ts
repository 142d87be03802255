/** What the upstream says about itself inside an answer is told to the gateway in every lane. */

import { expect, test } from "bun:test"

import { stringAt } from "#core/json.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import type { AnswerParts } from "#protocols/protocol.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { makeContext, readFailure } from "../../../support/scenarios.ts"

const event = (type: string, members: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
const delta = (text: string) => event("response.output_text.delta", { output_index: 0, content_index: 0, delta: text })

const answer =
  event("response.created", { response: { id: "resp_1", object: "response", output: [] } }) +
  event("codex.rate_limits", { rate_limits: { primary: { used_percent: 4 } } }) +
  delta("codex.rate_limits") +
  delta("b") +
  event("response.metadata", { headers: { "x-codex-plan-type": "plus" } }) +
  delta("c") +
  event("response.completed", { response: { id: "resp_1", status: "completed", output: [] } })

const lanes = {
  relay: (parts: AnswerParts) => makeResponsesRelay(makeContext(), parts),
  collect: (parts: AnswerParts) => makeResponsesCollector(makeContext(), parts),
  transcode: (parts: AnswerParts) =>
    makeTranscodePipe({
      upstream: { makeDecoder: makeResponsesDecoder },
      client: { makeEncoder: makeChatEncoder },
      context: makeContext(),
      ...parts,
    }),
} as const

test.each(["relay", "collect", "transcode"] as const)("%s tells asides once each, and nothing else", lane => {
  for (const chunkBytes of [1, 7, 100_000]) {
    const told: (string | undefined)[] = []
    const pipe = lanes[lane]({ readFailure, noteAside: json => told.push(stringAt(json, "type")) })
    const bytes = new TextEncoder().encode(answer)
    for (let at = 0; at < bytes.length; at += chunkBytes) pipe.feed(bytes.subarray(at, at + chunkBytes))
    expect(told).toEqual(["codex.rate_limits", "response.metadata"])
  }
})
