import { expect, test } from "bun:test"

import { makeVerbatimCollector } from "#gateway/answer/verbatim-collector.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { makeContext, readFailure } from "../../../support/scenarios.ts"

const event = (type: string, members: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
const reasoning = (text: string) => ({ id: "rs_1", type: "reasoning", summary: [], encrypted_content: text })
const created = event("response.created", { response: { id: "resp_1", object: "response", output: [] } })

/** The encrypted text of `added` is a shorter one that cannot be replayed. */
const streamed =
  created +
  event("response.output_item.added", { output_index: 0, item: reasoning("short") }) +
  event("response.output_item.done", { output_index: 0, item: reasoning("whole") }) +
  event("response.output_item.done", {
    output_index: 1,
    item: { id: "cmp_1", type: "compaction", encrypted_content: "compacted" },
  }) +
  event("response.output_item.done", {
    output_index: 2,
    item: { id: "ws_1", type: "web_search_call", encrypted_content: "not opaque" },
  }) +
  event("response.completed", { response: { id: "resp_1", status: "completed", output: [] } })

const terminalOnly =
  created +
  event("response.completed", { response: { id: "resp_1", status: "completed", output: [reasoning("late")] } })

type Note = { readonly noteOpaque: (text: string) => void }

const lanes = {
  relay: (parts: Note) => makeResponsesRelay(makeContext(), { readFailure, ...parts }),
  collect: (parts: Note) => makeResponsesCollector(makeContext(), { readFailure, ...parts }),
  transcode: (parts: Note) =>
    makeTranscodePipe({
      upstream: { makeDecoder: makeResponsesDecoder },
      client: { makeEncoder: makeChatEncoder },
      context: makeContext(),
      readFailure,
      ...parts,
    }),
} as const

function notedBy(lane: keyof typeof lanes, text: string, chunkBytes: number): readonly string[] {
  const noted = new Set<string>()
  const pipe = lanes[lane]({ noteOpaque: one => noted.add(one) })
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += chunkBytes) pipe.feed(bytes.subarray(at, at + chunkBytes))
  return [...noted]
}

test.each(["relay", "collect", "transcode"] as const)("%s tells the encrypted text of finished items", lane => {
  for (const chunkBytes of [7, 100_000]) {
    expect(notedBy(lane, streamed, chunkBytes)).toEqual(["whole", "compacted"])
    expect(notedBy(lane, terminalOnly, chunkBytes)).toEqual(["late"])
  }
})

test("the unary compaction tells that of its items", () => {
  const noted: string[] = []
  const collector = makeVerbatimCollector({ noteOpaque: text => noted.push(text) })
  const body = JSON.stringify({ output: [{ type: "compaction", encrypted_content: "compacted" }, { type: "message" }] })
  collector.feed(new TextEncoder().encode(body))
  expect(collector.finish()).toBe(body)
  expect(noted).toEqual(["compacted"])
})
