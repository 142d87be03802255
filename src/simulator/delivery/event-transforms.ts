/** Quirks applied to a finished event list: filler, changing ids, foreign events, missing numbers. */

import { isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"
import type { AnswerContext } from "#simulator/answers/answer-context.ts"
import type { Ids } from "#simulator/ids.ts"

type Transform = (events: readonly JsonObject[], context: AnswerContext) => readonly JsonObject[]

/** Which setting switches which transform on; applied from top to bottom. */
const TRANSFORMS: readonly { readonly isOn: (context: AnswerContext) => boolean; readonly apply: Transform }[] = [
  {
    isOn: context => context.settings.quotaEvent,
    apply: (events, context) => insertAt(events, 1, [context.quotaEvent]),
  },
  { isOn: context => context.settings.unknownEvents, apply: events => events.flatMap(withForeignEvent) },
  {
    isOn: context => context.settings.rotateIds,
    apply: (events, context) => events.map(event => rotate(event, context.ids)),
  },
  { isOn: context => context.settings.obfuscation, apply: events => events.map(obfuscate) },
  { isOn: () => true, apply: events => events.map((event, index) => renumber(event, index)) },
  { isOn: context => !context.settings.sequenceNumbers, apply: events => events.map(withoutNumber) },
]

/** Applies every transform the settings ask for. */
export function transformEvents(events: readonly JsonObject[], context: AnswerContext): readonly JsonObject[] {
  return TRANSFORMS.reduce((list, step) => (step.isOn(context) ? step.apply(list, context) : list), events)
}

function insertAt(
  events: readonly JsonObject[],
  index: number,
  inserted: readonly JsonObject[],
): readonly JsonObject[] {
  return [...events.slice(0, index), ...inserted, ...events.slice(index)]
}

/** A type no client knows, behind every delta and behind `created`. */
function withForeignEvent(event: JsonObject): readonly JsonObject[] {
  const type = stringAt(event, "type") ?? ""
  if (!type.endsWith(".delta") && type !== "response.created") return [event]
  return [event, { type: "response.simulated_unknown.ping", payload: { note: "clients skip this" } }]
}

/** Recorded from another deployment of the same API: one item has another id in every event. */
function rotate(event: JsonObject, ids: Ids): JsonObject {
  const itemId = stringAt(event, "item_id")
  const item = event["item"]
  return {
    ...event,
    ...(itemId === undefined ? {} : { item_id: rotated(itemId, ids) }),
    ...(isJsonObject(item) ? { item: { ...item, id: rotated(stringAt(item, "id") ?? "msg", ids) } } : {}),
  }
}

function rotated(id: string, ids: Ids): string {
  return ids.item(id.split("_")[0] ?? "msg")
}

function obfuscate(event: JsonObject, index: number): JsonObject {
  if (typeof event["delta"] !== "string") return event
  return { ...event, obfuscation: "simulatedfiller".slice(0, 1 + (index % 15)) }
}

function renumber(event: JsonObject, index: number): JsonObject {
  const { type, sequence_number: _, ...rest } = event
  return { type: type ?? "", sequence_number: index, ...rest }
}

function withoutNumber(event: JsonObject): JsonObject {
  const kept: [string, Json][] = Object.entries(event).filter(([key]) => key !== "sequence_number")
  return Object.fromEntries(kept)
}
