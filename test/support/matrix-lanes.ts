/** Every client dialect's lane over a recorded answer, for the tests that run scenarios. */

import { GatewayError } from "#core/errors.ts"
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
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import type { Collector, StreamPipe } from "#protocols/protocol.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { decodeWith, readFailure, type Scenario } from "./scenarios.ts"

const upstream = { makeDecoder: makeResponsesDecoder }
const chat = { makeEncoder: makeChatEncoder, makeFolder: makeChatFolder }
const completions = { makeEncoder: makeCompletionsEncoder, makeFolder: makeCompletionsFolder }
const ollama = { makeEncoder: makeOllamaEncoder, makeFolder: makeOllamaFolder }
const messages = { makeEncoder: makeMessagesEncoder, makeFolder: makeMessagesFolder }
const gemini = { makeEncoder: makeGeminiEncoder, makeFolder: makeGeminiFolder }

/** A client dialect: its golden file and how it is served. */
export type Lane = {
  readonly dialect: string
  readonly pipe: (scenario: Scenario) => StreamPipe
  readonly collector: (scenario: Scenario) => Collector
}

/** Chat Completions. */
export const chatLane: Lane = {
  dialect: "openai-chat",
  pipe: scenario => makeTranscodePipe({ upstream, client: chat, ...partsOf(scenario) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: chat, ...partsOf(scenario) }),
}

/** Anthropic Messages. Thinking is shown unless the scenario says otherwise. */
export const messagesLane: Lane = {
  dialect: "anthropic-messages",
  pipe: scenario => makeTranscodePipe({ upstream, client: messages, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: messages, ...partsOf(withThinking(scenario)) }),
}

/** Gemini. */
export const geminiLane: Lane = {
  dialect: "gemini",
  pipe: scenario => makeTranscodePipe({ upstream, client: gemini, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: gemini, ...partsOf(withThinking(scenario)) }),
}

/** Legacy completions. */
export const completionsLane: Lane = {
  dialect: "openai-completions",
  pipe: scenario => makeTranscodePipe({ upstream, client: completions, ...partsOf(scenario) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: completions, ...partsOf(scenario) }),
}

/** Ollama. */
export const ollamaLane: Lane = {
  dialect: "ollama",
  pipe: scenario => makeTranscodePipe({ upstream, client: ollama, ...partsOf(withThinking(scenario)) }),
  collector: scenario => makeTranscodeCollector({ upstream, client: ollama, ...partsOf(withThinking(scenario)) }),
}

/** The same answer to one of Ollama's generate calls. */
export function asCompletion(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { ...context.reply, asCompletion: true } } }
}

/** The same answer as one JSON array. */
export function asArray(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { ...context.reply, asArray: true } } }
}

function withThinking(scenario: Scenario): Scenario {
  const { context } = scenario
  return { ...scenario, context: { ...context, reply: { thinking: "shown", ...context.reply } } }
}

/** Responses, relayed. */
export const relay: Lane = {
  dialect: "openai-responses",
  pipe: scenario => makeResponsesRelay(scenario.context, { readFailure }),
  collector: scenario => makeResponsesCollector(scenario.context, { readFailure }),
}

function partsOf({ context, declaredTools }: Scenario) {
  return { context, readFailure, ...(declaredTools !== undefined && { declaredTools }) }
}

/** Decodes the chunks to neutral events. */
export function decode(scenario: Scenario, chunks: Iterable<Uint8Array>) {
  const { declaredTools } = scenario
  const tools = declaredTools === undefined ? {} : { declaredTools }
  return decodeWith(emit => makeResponsesDecoder({ emit, readFailure, ...tools }), chunks)
}

/** Runs the chunks through a pipe and returns what a streaming client gets. */
export function stream(pipe: StreamPipe, chunks: Iterable<Uint8Array>): string {
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

/** Runs the chunks through a collector and returns the JSON body, or the error as text. */
export function collect(collector: Collector, chunks: Iterable<Uint8Array>): string {
  try {
    for (const chunk of chunks) collector.feed(chunk)
    return collector.finish()
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return `${error.kind} ${error.code}: ${error.message}`
  }
}
