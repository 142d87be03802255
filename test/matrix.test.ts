/** Every recorded answer through every decoder, encoder and relay, at every chunk border. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { type JsonText, readJsonText } from "#core/json.ts"
import { makeMessagesEncoder } from "#protocols/anthropic-messages/encode-stream.ts"
import { makeMessagesFolder } from "#protocols/anthropic-messages/fold.ts"
import { makeGeminiEncoder } from "#protocols/gemini/encode-stream.ts"
import { makeGeminiFolder } from "#protocols/gemini/fold.ts"
import { makeOllamaEncoder } from "#protocols/ollama/encode-stream.ts"
import { makeOllamaFolder } from "#protocols/ollama/fold.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeChatFolder } from "#protocols/openai-chat/fold.ts"
import { makeCompletionsEncoder } from "#protocols/openai-completions/encode-stream.ts"
import { makeCompletionsFolder } from "#protocols/openai-completions/fold.ts"
import { makeDecoderReading, makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import type { Collector, StreamPipe } from "#protocols/protocol.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { brokenChatInvariants, foldChatStream } from "./support/chat-invariants.ts"
import { brokenCompletionInvariants, foldCompletionStream } from "./support/completion-invariants.ts"
import { brokenEventInvariants } from "./support/event-invariants.ts"
import { brokenGeminiInvariants, foldGeminiStream, geminiChunks } from "./support/gemini-invariants.ts"
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

const upstream = { makeDecoder: makeResponsesDecoder }
const chat = { makeEncoder: makeChatEncoder, makeFolder: makeChatFolder }
const completions = { makeEncoder: makeCompletionsEncoder, makeFolder: makeCompletionsFolder }
const messages = { makeEncoder: makeMessagesEncoder, makeFolder: makeMessagesFolder }
const gemini = { makeEncoder: makeGeminiEncoder, makeFolder: makeGeminiFolder }
const ollama = { makeEncoder: makeOllamaEncoder, makeFolder: makeOllamaFolder }

/** A client dialect: its golden file and how it is served. */
type Lane = {
  readonly dialect: string
  readonly pipe: (scenario: Scenario) => StreamPipe
  readonly collector: (scenario: Scenario) => Collector
}

/** Finds no delta, so that every event is parsed. */
const NO_DELTAS = { read: () => undefined, readLike: () => undefined, next: () => -1 }

const chatLane: Lane = {
  dialect: "openai-chat",
  pipe: scenario => makeTranscodePipe({ upstream, client: chat, ...partsOf(scenario) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: chat, ...partsOf(scenario) }),
}

const completionsLane: Lane = {
  dialect: "openai-completions",
  pipe: scenario => makeTranscodePipe({ upstream, client: completions, ...partsOf(scenario) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: completions, ...partsOf(scenario) }),
}

/** Thinking is shown unless the scenario says otherwise. */
const messagesLane: Lane = {
  dialect: "anthropic-messages",
  pipe: scenario => makeTranscodePipe({ upstream, client: messages, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: messages, ...partsOf(withThinking(scenario)) }),
}

const geminiLane: Lane = {
  dialect: "gemini",
  pipe: scenario => makeTranscodePipe({ upstream, client: gemini, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: gemini, ...partsOf(withThinking(scenario)) }),
}

const ollamaLane: Lane = {
  dialect: "ollama",
  pipe: scenario => makeTranscodePipe({ upstream, client: ollama, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: ollama, ...partsOf(withThinking(scenario)) }),
}

function asCompletion(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { ...context.reply, asCompletion: true } } }
}

function asArray(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { ...context.reply, asArray: true } } }
}

function withThinking(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { thinking: "shown", ...context.reply } } }
}

const relay: Lane = {
  dialect: "openai-responses",
  pipe: scenario => makeResponsesRelay(scenario.context, { readFailure }),
  collector: scenario => makeResponsesCollector(scenario.context, { readFailure }),
}

function partsOf({ context, declaredTools }: Scenario) {
  return { context, readFailure, ...(declaredTools !== undefined && { declaredTools }) }
}

function decode(scenario: Scenario, chunks: Iterable<Uint8Array>) {
  const { declaredTools } = scenario
  const tools = declaredTools === undefined ? {} : { declaredTools }
  return decodeWith(emit => makeResponsesDecoder({ emit, readFailure, ...tools }), chunks)
}

function stream(pipe: StreamPipe, chunks: Iterable<Uint8Array>): string {
  const out: Uint8Array[] = []
  try {
    for (const chunk of chunks) out.push(pipe.feed(chunk).slice())
    out.push(pipe.end().slice())
  } catch (error) {
    // An encoder refuses what it cannot say; the gateway then says so and reads no further.
    if (!(error instanceof GatewayError)) throw error
    out.push(pipe.fail(error).slice())
  }
  return Buffer.concat(out).toString("utf8")
}

function collect(collector: Collector, chunks: Iterable<Uint8Array>): string {
  try {
    for (const chunk of chunks) collector.feed(chunk)
    return collector.finish()
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return `${error.kind} ${error.code}: ${error.message}`
  }
}

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
