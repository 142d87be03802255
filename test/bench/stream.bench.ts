/**
 * Cost of one event in each lane, as ratios against parsing and re-writing it. Run: `./dev bench stream`; `--json` prints
 * the rows as one array, `--smoke` takes a few milliseconds each.
 */

import { measure } from "mitata"

import { makeMessagesEncoder } from "#protocols/anthropic-messages/encode-stream.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import type { StreamPipe } from "#protocols/protocol.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { makeContext, readFailure } from "../support/scenarios.ts"

const isSmoke = process.argv.includes("--smoke")
const EVENTS = 2000
const EVENTS_PER_CHUNK = 80
const context = makeContext()
const chat = { makeEncoder: makeChatEncoder }
const messages = { makeEncoder: makeMessagesEncoder }
const upstream = { makeDecoder: makeResponsesDecoder }

function eventFrame(type: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}",${members}}\n\n`
}

function deltaFrame(index: number): string {
  return eventFrame(
    "response.output_text.delta",
    `"sequence_number":${index + 4},"item_id":"msg_0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a","output_index":0,` +
      `"content_index":0,"delta":" tok${index}","logprobs":[],"obfuscation":"k9X2pQ7wZ"`,
  )
}

function makeChunks(perChunk: number): readonly Uint8Array[] {
  const head =
    eventFrame(
      "response.created",
      '"sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1790000000,"model":"m","output":[]}',
    ) +
    eventFrame(
      "response.output_item.added",
      '"sequence_number":2,"output_index":0,"item":{"id":"msg_0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a","type":"message","content":[]}',
    )
  const chunks = [new TextEncoder().encode(head)]
  for (let at = 0; at < EVENTS; at += perChunk) {
    let text = ""
    for (let index = at; index < Math.min(at + perChunk, EVENTS); index++) text += deltaFrame(index)
    chunks.push(new TextEncoder().encode(text))
  }
  return chunks
}

/** What a straightforward gateway does: decode, split, parse, build the client's object, write it. */
function makeBaseline(): Pick<StreamPipe, "feed"> {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ""
  return {
    feed: chunk => {
      const frames = (rest + decoder.decode(chunk, { stream: true })).split("\n\n")
      rest = frames.pop() ?? ""
      let out = ""
      for (const frame of frames) {
        const event = JSON.parse(frame.slice(frame.indexOf("data: ") + 6))
        if (event.type !== "response.output_text.delta") continue
        const choice = { index: 0, delta: { content: event.delta }, logprobs: null, finish_reason: null }
        const answer = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_790_000_000, model: "my-alias" }
        out += `data: ${JSON.stringify({ ...answer, choices: [choice] })}\n\n`
      }
      return encoder.encode(out)
    },
  }
}

type Contestant = { readonly name: string; readonly make: () => Pick<StreamPipe, "feed"> }

const contestants: readonly Contestant[] = [
  { name: "parse and stringify", make: makeBaseline },
  { name: "transcode to Chat", make: () => makeTranscodePipe({ upstream, client: chat, context, readFailure }) },
  {
    name: "transcode to Messages",
    make: () => makeTranscodePipe({ upstream, client: messages, context, readFailure }),
  },
  { name: "relay", make: () => makeResponsesRelay(context, { readFailure }) },
]

async function nsPerEvent(make: Contestant["make"], chunks: readonly Uint8Array[]): Promise<number> {
  let sink = 0
  const feedAll = () => {
    const pipe = make()
    for (const chunk of chunks) sink += pipe.feed(chunk).byteLength
  }
  const stats = await measure(feedAll, isSmoke ? { min_cpu_time: 1, min_samples: 2 } : {})
  if (sink === 0) throw new Error("nothing was sent")
  return stats.p50 / EVENTS
}

const rows: { readonly perChunk: number; readonly name: string; readonly ns: number; readonly ratio: number }[] = []
for (const perChunk of [EVENTS_PER_CHUNK, 1]) {
  const chunks = makeChunks(perChunk)
  let baseline: number | undefined
  for (const { name, make } of contestants) {
    const ns = await nsPerEvent(make, chunks)
    baseline ??= ns
    rows.push({ perChunk, name, ns, ratio: ns / baseline })
  }
}
if (process.argv.includes("--json")) console.log(JSON.stringify(rows))
else {
  for (const { perChunk, name, ns, ratio } of rows) {
    const cost = `${ns.toFixed(0).padStart(5)} ns an event  ×${ratio.toFixed(3)}`
    console.log(`${perChunk} a chunk  ${name.padEnd(22)} ${cost}`)
  }
}
