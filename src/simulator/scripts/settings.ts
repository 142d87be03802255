/** Everything a script can change about one answer, with the values of an unscripted one. */

import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

/** One answer's settings. In prompts and in JSON the names may also be written with dashes: `first-event-delay-ms`. */
export type Settings = {
  /** Which stream generator speaks. */
  readonly sequence: string
  /** Refuse with this catalogue entry instead of streaming; "" = do not. */
  readonly refuse: string

  /** What a text says, or what a tool receives; "" = the sequence's own. */
  readonly text: string
  /** A text of this many words instead. */
  readonly words: number
  /** Summary parts of a reasoning item. */
  readonly summaries: number
  /** How many parallel calls. */
  readonly calls: number
  /** Name of the tool to call, and its argument source; "" = picked and synthesised. */
  readonly tool: string
  readonly namespace: string
  readonly arguments: string
  /** Size of one large event. */
  readonly bytes: number
  readonly partials: number
  /** Code, text, type and form of a failure inside a stream. */
  readonly code: string
  readonly message: string
  readonly errorType: string
  readonly errorForm: "pair" | "flat" | "failed"
  readonly reason: string
  /** Slug that "actually served"; "" = the requested one. */
  readonly servedModel: string

  /** Details of a refusal; negative or zero = not sent. */
  readonly status: number
  readonly retryAfterSec: number
  readonly resetsInSec: number

  readonly headersDelayMs: number
  readonly firstEventDelayMs: number
  /** Waits before the first delta. */
  readonly firstTokenDelayMs: number
  readonly eventDelayMs: number
  /** Bytes a chunk; 0 = one event a chunk. */
  readonly chunkBytes: number
  /** Sends the whole answer as one chunk. */
  readonly coalesce: boolean
  readonly crlf: boolean
  readonly eventLines: boolean
  /** What stands before each event: `none`, `comments` or `events`. */
  readonly keepAlive: "none" | "comments" | "events"
  readonly obfuscation: boolean
  /** `full`, `null` (details null) or `none` (usage null). */
  readonly usageDetails: "full" | "null" | "none"
  readonly sequenceNumbers: boolean
  readonly rotateIds: boolean
  readonly unknownEvents: boolean
  readonly quotaEvent: boolean
  /** Off as behind a relay that keeps the vendor's headers to itself. */
  readonly quotaHeaders: boolean
  /** Fills `output` of the terminal event, which the backend leaves empty. */
  readonly fullOutput: boolean
  /** `none`, `reset` (connection broken) or `end` (clean end), after `cutAfterEvents` events. */
  readonly cut: "none" | "reset" | "end"
  readonly cutAfterEvents: number
  /** WebSocket: closes the socket behind a whole answer, between turns. */
  readonly closeSocket: boolean
  /** WebSocket: the code of a clean close. */
  readonly closeCode: number
  /** Name of a gate the stream waits at; "" = none. */
  readonly hold: string
  /** Events before the gate; 0 = after the headers, -1 = before them. */
  readonly holdAfterEvents: number
}

/** An unscripted answer. */
export const DEFAULT_SETTINGS: Settings = {
  sequence: "conversation",
  refuse: "",
  text: "",
  words: 0,
  summaries: 1,
  calls: 2,
  tool: "",
  namespace: "",
  arguments: "",
  bytes: 1_048_576,
  partials: 2,
  code: "server_error",
  message: "",
  errorType: "server_error",
  errorForm: "pair",
  reason: "max_output_tokens",
  servedModel: "",
  status: 0,
  retryAfterSec: -1,
  resetsInSec: 5400,
  headersDelayMs: 0,
  firstEventDelayMs: 0,
  firstTokenDelayMs: 0,
  eventDelayMs: 0,
  chunkBytes: 0,
  coalesce: false,
  crlf: false,
  eventLines: true,
  keepAlive: "none",
  obfuscation: false,
  usageDetails: "full",
  sequenceNumbers: true,
  rotateIds: false,
  unknownEvents: false,
  quotaEvent: false,
  quotaHeaders: true,
  fullOutput: false,
  cut: "none",
  cutAfterEvents: 4,
  closeSocket: false,
  closeCode: 1000,
  hold: "",
  holdAfterEvents: 2,
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  keepAlive: ["none", "comments", "events"],
  usageDetails: ["full", "null", "none"],
  cut: ["none", "reset", "end"],
  errorForm: ["pair", "flat", "failed"],
}

/**
 * Reads settings from a JSON object or from words of a prompt (then every value is a string).
 * Throws `invalid-request` for an unknown name or a value of another kind, so that a typing error cannot pass as a test.
 */
export function readSettings(source: JsonObject): Partial<Settings> {
  const settings: Record<string, Json> = {}
  for (const [name, value] of Object.entries(source)) {
    const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    settings[key] = readSetting(key, value)
  }
  // Every key was looked up in the defaults and every value has the kind of its default.
  return settings as Partial<Settings>
}

function readSetting(key: string, value: Json): Json {
  const known: JsonObject = DEFAULT_SETTINGS
  const standard = known[key]
  if (standard === undefined) throw new GatewayError("invalid-request", `The simulator has no setting "${key}".`)
  const read = convert(value, typeof standard)
  const choices = CHOICES[key]
  if (read === undefined || (choices !== undefined && !choices.includes(String(read)))) {
    const wanted = choices?.join(", ") ?? `a ${typeof standard}`
    throw new GatewayError("invalid-request", `The simulator's setting "${key}" wants ${wanted}.`)
  }
  return read
}

function convert(value: Json, kind: string): string | number | boolean | undefined {
  if (value === null || isJsonObject(value) || typeof value === "object") return undefined
  if (typeof value === kind) return value
  if (kind === "string") return String(value)
  if (typeof value !== "string") return undefined
  if (kind === "number") return value.trim() === "" || Number.isNaN(Number(value)) ? undefined : Number(value)
  if (value === "true" || value === "yes") return true
  return value === "false" || value === "no" ? false : undefined
}
