/** What every stream of legacy completions must hold, and the answer a client folds from it. */

import { readEvents } from "./sse.ts"

type Choice = { readonly text: string; readonly finish_reason: string | null }
type Chunk = {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly model: string
  readonly choices: readonly Choice[]
  readonly error?: object
}

function readChunks(stream: string): { readonly frames: readonly string[]; readonly chunks: readonly Chunk[] } {
  const frames = readEvents(stream).map(frame => frame.data)
  // The invariants below are what gives the parsed objects their shape.
  return { frames, chunks: frames.filter(data => data !== "[DONE]").map(data => JSON.parse(data) as Chunk) }
}

/** Returns what is wrong with a stream; empty when nothing is. */
export function brokenCompletionInvariants(stream: string): readonly string[] {
  const { frames, chunks } = readChunks(stream)
  const isFailed = chunks.at(-1)?.error !== undefined
  const good = isFailed ? chunks.slice(0, -1) : chunks
  const choices = good.flatMap(chunk => chunk.choices)
  const ended = choices.filter(choice => choice.finish_reason !== null)
  const heads = new Set(good.map(({ id, created, model }) => `${id} ${created} ${model}`))
  const statements: readonly (readonly [boolean, string])[] = [
    [
      frames.filter(data => data === "[DONE]").length === (isFailed ? 0 : 1),
      "[DONE] once on success, never on failure",
    ],
    [isFailed || frames.at(-1) === "[DONE]", "[DONE] is last"],
    [good.every(chunk => chunk.object === "text_completion"), "chunks have the object of the whole answer"],
    [heads.size <= 1, "id, created and model are the same in every chunk"],
    [good.every(chunk => chunk.id.startsWith("cmpl-")), "ids begin with cmpl-"],
    [ended.length === (isFailed ? 0 : 1), "exactly one reason on success"],
    [isFailed || choices.at(-1)?.finish_reason !== null, "the reason stands in the last choice"],
    [choices.every(choice => choice.text !== "" || choice.finish_reason !== null), "no empty text before the end"],
    [
      ended.every(choice => ["stop", "length", "content_filter"].includes(choice.finish_reason ?? "")),
      "a known reason",
    ],
  ]
  return statements.filter(([holds]) => !holds).map(([, text]) => text)
}

/** Folds the chunks as an SDK does. */
export function foldCompletionStream(stream: string): object {
  const { chunks } = readChunks(stream)
  const [first] = chunks
  const choices = chunks.flatMap(chunk => chunk.choices)
  return {
    id: first?.id,
    object: first?.object,
    created: first?.created,
    model: first?.model,
    choices: [
      {
        index: 0,
        text: choices.map(choice => choice.text).join(""),
        logprobs: null,
        finish_reason: choices.at(-1)?.finish_reason,
      },
    ],
  }
}
