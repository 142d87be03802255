/** Every recorded answer through every decoder, encoder and relay, at every chunk border. */

import { describe, expect, test } from "bun:test"

import { type JsonText, readJsonText } from "#core/json.ts"
import { makeDecoderReading } from "#protocols/openai-responses/decode-stream.ts"

import { brokenChatInvariants, foldChatStream } from "./support/chat-invariants.ts"
import { brokenCompletionInvariants, foldCompletionStream } from "./support/completion-invariants.ts"
import { brokenEventInvariants } from "./support/event-invariants.ts"
import { brokenGeminiInvariants, foldGeminiStream, geminiChunks } from "./support/gemini-invariants.ts"
import {
  asArray,
  asCompletion,
  chatLane,
  collect,
  completionsLane,
  decode,
  geminiLane,
  messagesLane,
  ollamaLane,
  relay,
  stream,
} from "./support/matrix-lanes.ts"
import { brokenMessagesInvariants, foldMessagesStream } from "./support/messages-invariants.ts"
import { brokenOllamaInvariants, foldOllamaStream } from "./support/ollama-invariants.ts"
import { brokenResponsesInvariants } from "./support/responses-invariants.ts"
import {
  decodeWith,
  eventLines,
  golden,
  halves,
  loadScenarios,
  pieces,
  readFailure,
  type Scenario,
} from "./support/scenarios.ts"
import { readEvents } from "./support/sse.ts"

/** Finds no delta, so that every event is parsed. */
const NO_DELTAS = { read: () => undefined, readLike: () => undefined, next: () => -1 }

/** Neighbouring deltas of one block may be cut elsewhere; their text may not differ. */
function decodedText(value: unknown): string {
  return JSON.stringify(value, (key, member) => (key === "text" ? readJsonText(member as JsonText) : member))
}

for (const scenario of loadScenarios()) {
  const { name, upstream: bytes, context } = scenario
  describe(name, () => {
    const events = decode(scenario, [bytes])
    const lines = eventLines(events)

    test("gives the golden events", () => expect(lines).toBe(golden(name, "events.txt", lines)))
    test("keeps the event invariants", () => expect(brokenEventInvariants(events)).toEqual([]))
    test("gives the same events when every delta is parsed", () => {
      const { declaredTools } = scenario
      const tools = declaredTools === undefined ? {} : { declaredTools }
      const parsed = decodeWith(emit => makeDecoderReading({ emit, readFailure, ...tools }, NO_DELTAS), [bytes])
      expect(decodedText(parsed)).toBe(decodedText(events))
    })
    test("gives the same events byte by byte and at every border", () => {
      expect(eventLines(decode(scenario, pieces(bytes, 1)))).toBe(lines)
      for (let at = 1; at < bytes.length; at++) {
        if (!Bun.deepEquals(decode(scenario, halves(bytes, at)), events)) throw new Error(`differs when cut at ${at}`)
      }
    })
    test("gives the same relayed bytes at every border", () => {
      const sent = stream(relay.pipe(scenario), [bytes])
      for (let at = 1; at < bytes.length; at++) {
        if (stream(relay.pipe(scenario), halves(bytes, at)) !== sent) throw new Error(`differs when cut at ${at}`)
      }
    })

    for (const { dialect, pipe, collector } of [
      chatLane,
      completionsLane,
      messagesLane,
      geminiLane,
      ollamaLane,
      relay,
    ]) {
      const sent = stream(pipe(scenario), [bytes])
      const body = collect(collector(scenario), [bytes])

      test(`gives the golden ${dialect} answer`, () => {
        const both = `${sent}=== json ===\n${body}\n`
        expect(both).toBe(golden(name, `client.${dialect}.txt`, both))
      })
      test.each([1, 7, 64, 1000])(`gives the same ${dialect} answer in pieces of %d bytes`, size => {
        expect(stream(pipe(scenario), pieces(bytes, size))).toBe(sent)
        expect(collect(collector(scenario), pieces(bytes, size))).toBe(body)
      })
    }

    test("keeps the Chat invariants, and the folded stream is the JSON answer", () => {
      const sent = stream(chatLane.pipe(scenario), [bytes])
      const body = collect(chatLane.collector(scenario), [bytes])
      expect(brokenChatInvariants(sent, context)).toEqual([])
      const isFailed = events.at(-1)?.type === "error"
      expect(body.startsWith("{")).toBe(!isFailed)
      if (isFailed) return
      const whole = JSON.parse(body)
      const folded = foldChatStream(sent)
      // Without the option the stream has no usage; the JSON answer always has it.
      if (!context.reply.includeUsage) delete whole.usage
      expect(folded).toEqual(whole)
    })
    test("keeps the invariants of legacy completions, and the folded stream is the JSON answer", () => {
      const sent = stream(completionsLane.pipe(scenario), [bytes])
      const body = collect(completionsLane.collector(scenario), [bytes])
      expect(brokenCompletionInvariants(sent)).toEqual([])
      const isFailed = events.at(-1)?.type === "error"
      expect(body.startsWith("{")).toBe(!isFailed)
      if (isFailed) return
      const { usage, ...whole } = JSON.parse(body)
      expect(usage !== undefined).toBe(events.some(event => event.type === "usage"))
      expect(foldCompletionStream(sent)).toEqual(whole)
    })
    test("keeps the Messages invariants, and the folded stream is the JSON answer", () => {
      const sent = stream(messagesLane.pipe(scenario), [bytes])
      const body = collect(messagesLane.collector(scenario), [bytes])
      expect(brokenMessagesInvariants(sent)).toEqual([])
      const isFailed = sent.includes("event: error\n")
      expect(body.startsWith("{")).toBe(!isFailed)
      if (isFailed) return
      const folded = foldMessagesStream(sent)
      const isCut = events.some(event => event.type === "tool-end" && event.cut)
      // A call that was cut is announced in a stream, but left out of a whole answer.
      if (!isCut) expect(folded).toEqual(JSON.parse(body))
    })
    test("G1 to G10: keeps the Gemini invariants, and (G7) the folded stream is the JSON answer", () => {
      const sent = stream(geminiLane.pipe(scenario), [bytes])
      const body = collect(geminiLane.collector(scenario), [bytes])
      expect(brokenGeminiInvariants(sent)).toEqual([])
      const isFailed = events.at(-1)?.type === "error"
      expect(body.startsWith("{")).toBe(!isFailed)
      if (!isFailed) expect(foldGeminiStream(sent)).toEqual(JSON.parse(body))
    })
    test("G11: the elements of the Gemini array are the chunks of the Gemini stream", () => {
      const chunks = geminiChunks(stream(geminiLane.pipe(scenario), [bytes]))
      expect(JSON.parse(stream(geminiLane.pipe(asArray(scenario)), [bytes]))).toEqual(chunks)
    })
    test.each([
      ["chat", (same: Scenario) => same],
      ["generate", asCompletion],
    ])("O1 to O7: keeps the Ollama invariants of %s, and (O6) the folded stream is the JSON answer", (_, shaped) => {
      const sent = stream(ollamaLane.pipe(shaped(scenario)), [bytes])
      const body = collect(ollamaLane.collector(shaped(scenario)), [bytes])
      expect(brokenOllamaInvariants(sent, context.model)).toEqual([])
      const isFailed = sent.includes('{"error":')
      expect(body.startsWith("{")).toBe(!isFailed)
      if (!isFailed) expect(foldOllamaStream(sent)).toEqual(JSON.parse(body))
    })
    test("keeps the Responses invariants, and the terminal response is the JSON answer", () => {
      const sent = stream(relay.pipe(scenario), [bytes])
      const body = collect(relay.collector(scenario), [bytes])
      expect(brokenResponsesInvariants(sent, context)).toEqual([])
      const last = JSON.parse(readEvents(sent).at(-1)?.data ?? "null")
      const isFailed = last.type === "error" || last.type === "response.failed"
      expect(body.startsWith("{")).toBe(!isFailed)
      if (!isFailed) expect(JSON.parse(body)).toEqual(last.response)
    })
  })
}
