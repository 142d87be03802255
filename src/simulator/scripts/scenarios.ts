/** Every scenario by name: what a script or a prompt can ask for. */

import { GatewayError } from "#core/errors.ts"
import { SEQUENCES } from "#simulator/sequences/registry.ts"

import { SCRIPTED_REFUSALS } from "./scripted-refusals.ts"
import type { Settings } from "./settings.ts"

/** A named bundle of settings. */
export type Scenario = {
  readonly name: string
  /** What kind of thing it is: what the answer says, how it travels, or that it is refused. */
  readonly group: "answer" | "delivery" | "refusal"
  readonly sentence: string
  readonly settings: Partial<Settings>
}

const DELIVERIES: readonly Scenario[] = [
  delivery("slow", "A pause before the first event and between events.", { firstEventDelayMs: 500, eventDelayMs: 100 }),
  delivery("slow-headers", "A pause before the response headers.", { headersDelayMs: 1000 }),
  delivery("slow-first-token", "Lifecycle events at once, then a pause before the first delta.", {
    firstTokenDelayMs: 1000,
  }),
  delivery("bytewise", "One byte a chunk.", { chunkBytes: 1 }),
  delivery("whole", "The whole answer in one chunk.", { coalesce: true }),
  delivery("crlf", "CRLF line ends.", { crlf: true }),
  delivery("no-event-lines", "Frames without `event:` lines.", { eventLines: false }),
  delivery("keep-alive-comments", "A comment before every event.", { keepAlive: "comments" }),
  delivery("keep-alive-events", "A keepalive event before every event.", { keepAlive: "events" }),
  delivery("obfuscation", "Filler strings beside every delta.", { obfuscation: true }),
  delivery("null-usage-details", "Usage whose details are null.", { usageDetails: "null" }),
  delivery("no-usage", "A terminal event without usage.", { usageDetails: "none" }),
  delivery("no-sequence-numbers", "Events without sequence numbers.", { sequenceNumbers: false }),
  delivery("rotating-ids", "Another item id in every event of the same item.", { rotateIds: true }),
  delivery("unknown-events", "Event types no client knows.", { unknownEvents: true }),
  delivery("quota-event", "A quota event before the first output.", { quotaEvent: true }),
  delivery("quota-event-alone", "A quota event, and no headers about quota.", {
    quotaEvent: true,
    quotaHeaders: false,
  }),
  delivery("full-output", "A terminal event that repeats the whole output.", { fullOutput: true }),
  delivery("rerouted", "Another model serves than the requested one.", { servedModel: "gpt-5.5" }),
  delivery("reset", "The connection breaks after `cut-after-events` events.", { cut: "reset" }),
  delivery("truncated", "The body ends cleanly without a terminal event.", { cut: "end" }),
  delivery("dead", "The connection breaks before any event.", {
    cut: "reset",
    cutAfterEvents: 0,
  }),
  delivery("closing", "WebSocket: the socket closes behind the answer, between turns.", { closeSocket: true }),
  delivery("hold", "The stream stays open at a gate until the control releases it.", { hold: "default" }),
  delivery("overload-in-stream", "200, created, in progress, then an overload.", {
    sequence: "failure",
    code: "server_is_overloaded",
  }),
]

/** All scenarios: answers, deliveries, refusals. */
export const SCENARIOS: readonly Scenario[] = [
  ...Object.entries(SEQUENCES).map(([name, sequence]): Scenario => {
    return { name, group: "answer", sentence: sequence.sentence, settings: { sequence: name } }
  }),
  ...DELIVERIES,
  ...Object.entries(SCRIPTED_REFUSALS).map(([name, refusal]): Scenario => {
    return { name, group: "refusal", sentence: refusal.sentence, settings: { refuse: name } }
  }),
]

/** Returns the settings of a scenario; "" has none. Throws `invalid-request` for an unknown name. */
export function scenarioSettings(name: string): Partial<Settings> {
  if (name === "") return {}
  const scenario = SCENARIOS.find(candidate => candidate.name === name)
  if (scenario === undefined) throw new GatewayError("invalid-request", `The simulator has no scenario "${name}".`)
  return scenario.settings
}

function delivery(name: string, sentence: string, settings: Partial<Settings>): Scenario {
  return { name, group: "delivery", sentence, settings }
}
