/** Keeps one id for an item in all its events: strict clients end the answer over a second one. */

import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { byteTextOfUtf8 } from "#wire/bytes.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"

import type { RelayEvent } from "./relay-event.ts"
import type { RelayState } from "./relay-state.ts"

/**
 * Returns the event with the id its item was announced under. Some relays in front of the API encrypt ids anew in
 * every event (https://github.com/vercel/ai has a recording of one); the official SDK refuses that. Items that were
 * never announced keep what they have.
 */
export function withStableId(state: RelayState, event: RelayEvent): RelayEvent {
  const index = numberAt(event.json, "output_index")
  if (index === undefined) return event
  const item = objectAt(event.json, "item")
  if (event.type === "response.output_item.added") announce(state, index, item ?? {})
  else state.unconfirmed.delete(index)
  const id = state.itemIds.get(index)
  if (id === undefined) return event
  const given = item === undefined ? stringAt(event.json, "item_id") : stringAt(item, "id")
  if (given === id) return event
  state.editsIds = true
  state.unreadPrefix = ""
  return item === undefined ? withMember(event, "item_id", id) : withItemId(event, item, id)
}

/** Nothing passes unread until an event of the new item has been read. */
function announce(state: RelayState, index: number, item: JsonObject): void {
  state.itemIds.set(index, stringAt(item, "id") ?? itemFallbackId(state, index))
  state.unconfirmed.add(index)
  state.unreadPrefix = ""
}

/** The id of an item that came without one. */
export function itemFallbackId(state: RelayState, index: number | undefined): string {
  return `item_${state.context.requestId}_${index ?? `n${state.items.count()}`}`
}

function withItemId(event: RelayEvent, item: JsonObject, id: string): RelayEvent {
  const text = memberText(event.data, "item")
  const changed = text === undefined ? undefined : withMembers(text, new Map([["id", literalOf(id)]]))
  const data = changed === undefined ? undefined : withMembers(event.data, new Map([["item", changed]]))
  return data === undefined ? event : { ...event, data, json: { ...event.json, item: { ...item, id } } }
}

function withMember(event: RelayEvent, key: string, value: string): RelayEvent {
  const data = withMembers(event.data, new Map([[key, literalOf(value)]]))
  return data === undefined ? event : { ...event, data, json: { ...event.json, [key]: value } }
}

function literalOf(text: string): string {
  return byteTextOfUtf8(JSON.stringify(text))
}
