/** What every relayed Responses stream must hold. */

import type { ReplyContext } from "#protocols/protocol.ts"

import { readEvents } from "./sse.ts"

// Parsed client output; the checks below are what gives it a shape.
type Loose = Record<string, any>

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed", "error"])

/** Returns what is wrong with a stream; empty when nothing is. */
export function brokenResponsesInvariants(stream: string, context: ReplyContext): readonly string[] {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  const frames = readEvents(stream)
  const events: Loose[] = frames.map(frame => JSON.parse(frame.data))
  const publicEvents = events.filter(
    event => !event["type"].startsWith("codex.") && event["type"] !== "response.metadata",
  )
  check(
    publicEvents[0]?.["type"] === "response.created" ||
      (publicEvents.length === 1 && publicEvents[0]?.["type"] === "error"),
    "response.created first",
  )
  const terminals = events.filter(event => TERMINAL.has(event["type"]))
  check(terminals.length === 1 && events.at(-1) === terminals[0], "one terminal event, last")
  check(
    frames.every((frame, at) => frame.event === events[at]?.["type"]),
    "event line equals type",
  )
  const numbers = events.map(event => event["sequence_number"]).filter(number => number !== undefined)
  check(
    numbers.every((number, at) => at === 0 || number > numbers[at - 1]),
    "sequence numbers rise",
  )
  check(
    events.every(event => event["type"] === "error" || !("error" in event)),
    "error only on error events",
  )
  if (!context.reply.codexClient) check(publicEvents.length === events.length, "no private events")
  const responses = events.flatMap(event => event["response"] ?? [])
  for (const key of ["id", "model", "created_at"]) {
    check(
      responses.every(response => response[key] === responses[0]?.[key] && response[key] !== undefined),
      `one ${key}`,
    )
  }
  check(
    responses.every(response => Number.isInteger(response["created_at"])),
    "created_at is an integer",
  )
  wrong.push(...brokenTerminal(events, terminals[0]))
  return wrong
}

function brokenTerminal(events: readonly Loose[], terminal: Loose | undefined): readonly string[] {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  const response = terminal?.["response"]
  if (response === undefined || terminal?.["type"] === "response.failed") return wrong
  const done = events.filter(event => event["type"] === "response.output_item.done")
  if (done.length > 0) {
    const order = done.toSorted((left, right) => left["output_index"] - right["output_index"])
    check(response.output.length === done.length, "as many items in the terminal response as were finished")
    check(
      response.output.every((item: Loose, at: number) => item["type"] === order[at]?.["item"].type),
      "items in order of their output index",
    )
  }
  check(
    response.output
      .filter((item: Loose) => item["type"] === "message")
      .flatMap((item: Loose) => item["content"])
      .every((part: Loose) => part["type"] !== "output_text" || Array.isArray(part["annotations"])),
    "every text part has annotations",
  )
  if (response.usage !== null) {
    check(Number.isInteger(response.usage.total_tokens), "total_tokens")
    check(Number.isInteger(response.usage.input_tokens_details.cached_tokens), "cached_tokens")
    check(Number.isInteger(response.usage.output_tokens_details.reasoning_tokens), "reasoning_tokens")
  }
  return wrong
}
