/** One event of a relayed stream that had to be read. */

import { type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import { utf8OfByteText } from "#wire/bytes.ts"
import { readSseFrame } from "#wire/sse-splitter.ts"

import type { RelayFrame } from "./relay-output.ts"
import type { RelayState } from "./relay-state.ts"

/** `data` is byte text on one line; `json` is what it says. */
export type RelayEvent = {
  readonly frame: RelayFrame
  readonly type: string
  readonly data: string
  readonly json: JsonObject
}

/** Reads a frame, or returns undefined for what is no JSON object: `[DONE]`, comments, cut or broken events. */
export function readRelayEvent(frame: RelayFrame): RelayEvent | undefined {
  const { text, start, end, dataAt } = frame
  // Line breaks between data lines are blanks to JSON.
  const data = dataAt === -1 ? readSseFrame(text.slice(start, end)).data.replaceAll("\n", " ") : text.slice(dataAt, end)
  const json = parseJsonObject(utf8OfByteText(data))
  if (json === undefined) return undefined
  const type = stringAt(json, "type") ?? readSseFrame(text.slice(start, end)).event
  return type === "" ? undefined : { frame, type, data, json }
}

/** Sends an event of the upstream with the given data. */
export function forward({ output }: RelayState, { frame, type }: RelayEvent, data: string): void {
  output.forward(frame, type, data)
}
