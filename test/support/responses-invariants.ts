/** What every relayed Responses stream must hold. */

import type { ReplyContext } from "#protocols/protocol.ts"

import { readEvents } from "./sse.ts"

type Item = {
  readonly type: string
  readonly content?: readonly { readonly type: string; readonly annotations?: object[] }[]
}
type Response = {
  readonly id: string
  readonly model: string
  readonly created_at: number
  readonly output: readonly Item[]
  readonly usage: {
    readonly total_tokens: number
    readonly input_tokens_details: { readonly cached_tokens: number }
    readonly output_tokens_details: { readonly reasoning_tokens: number }
  } | null
}
type Event = {
  readonly type: string
  readonly sequence_number?: number
  readonly output_index?: number
  readonly item?: Item
  readonly response?: Response
}

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed", "error"])

/** Collects the statements that do not hold. */
function makeChecks() {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  return { wrong, check }
}

/** Returns what is wrong with a stream; empty when nothing is. */
export function brokenResponsesInvariants(stream: string, context: ReplyContext): readonly string[] {
  const { wrong, check } = makeChecks()
  const frames = readEvents(stream)
  // The invariants are what gives the parsed objects their shape.
  const events = frames.map(frame => JSON.parse(frame.data) as Event)
  const shown = events.filter(({ type }) => !type.startsWith("codex.") && type !== "response.metadata")
  const isErrorOnly = shown.length === 1 && shown[0]?.type === "error"
  check(shown[0]?.type === "response.created" || isErrorOnly, "response.created first")
  const terminals = events.filter(event => TERMINAL.has(event.type))
  check(terminals.length === 1 && events.at(-1) === terminals[0], "one terminal event, last")
  check(
    frames.every((frame, at) => frame.event === events[at]?.type),
    "event line equals type",
  )
  const numbers = events.flatMap(event => event.sequence_number ?? [])
  check(
    numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0)),
    "sequence numbers rise",
  )
  check(
    events.every(event => event.type === "error" || !("error" in event)),
    "error only on error events",
  )
  check(context.reply.codexClient || shown.length === events.length, "no private events")
  return [...wrong, ...brokenIdentity(events), ...brokenTerminal(events)]
}

function brokenIdentity(events: readonly Event[]): readonly string[] {
  const { wrong, check } = makeChecks()
  const responses = events.flatMap(event => event.response ?? [])
  for (const key of ["id", "model", "created_at"] as const) {
    const values = new Set(responses.map(response => response[key]))
    check(values.size <= 1 && !values.has(undefined as never), `one ${key} in all events`)
  }
  check(
    responses.every(response => Number.isInteger(response.created_at)),
    "created_at is an integer",
  )
  return wrong
}

function brokenTerminal(events: readonly Event[]): readonly string[] {
  const { wrong, check } = makeChecks()
  const terminal = events.at(-1)
  const response = terminal?.response
  if (response === undefined || terminal?.type === "response.failed") return wrong
  const done = events
    .filter(event => event.type === "response.output_item.done")
    .toSorted((left, right) => (left.output_index ?? 0) - (right.output_index ?? 0))
  if (done.length > 0) {
    const types = done.map(event => event.item?.type).join()
    check(response.output.map(item => item.type).join() === types, "the finished items, by output index")
  }
  const parts = response.output.filter(item => item.type === "message").flatMap(item => item.content ?? [])
  check(
    parts.every(part => part.type !== "output_text" || Array.isArray(part.annotations)),
    "every text part has annotations",
  )
  const { usage } = response
  if (usage === null) return wrong
  check(Number.isInteger(usage.total_tokens), "total_tokens")
  check(Number.isInteger(usage.input_tokens_details.cached_tokens), "cached_tokens")
  check(Number.isInteger(usage.output_tokens_details.reasoning_tokens), "reasoning_tokens")
  return wrong
}
