/** What lets clients continue a response by its id although the upstream stores none: remembered here, in memory only. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { inputItemsOf } from "#protocols/openai-responses/input-items.ts"
import { memberText } from "#wire/json-scan.ts"

import {
  conversationOf,
  type KeptResponse,
  makeResponseShelf,
  type ResponseShelf,
  type ShelfLimits,
  type ShelvedResponse,
} from "./response-shelf.ts"

/** What the operator decides. */
export type MemoryLimits = ShelfLimits & { readonly isOn: boolean }

/** The memory. Responses belong to the client key that asked for them. */
export type ResponseMemory = {
  /**
   * Returns the call with the conversation it continues and the items it refers to written out; the very same call when
   * it does neither. Throws `invalid-request` for what is not remembered. While the memory is off every call is left alone.
   */
  readonly expand: (call: ClientCall) => ClientCall
  readonly has: (owner: string, id: string) => boolean
  /** Takes note of the finished response (JSON text) of an expanded call, unless its client wants it not stored. */
  readonly remember: (call: ClientCall, response: string) => void
  /** The response object. Throws `not-found`. */
  readonly response: (owner: string, id: string) => JsonObject
  /** What the response was asked with, the conversation before it included. Throws `not-found`. */
  readonly inputItems: (owner: string, id: string) => readonly Json[]
  /** Throws `not-found`. */
  readonly forget: (owner: string, id: string) => void
  /** Bytes in use, by estimate. */
  readonly sizeBytes: () => number
  /** Everything, for another process; each after what it continues. */
  readonly all: ResponseShelf["all"]
  /** Takes over what another process remembered. */
  readonly adopt: ResponseShelf["adopt"]
  readonly endAdoption: ResponseShelf["endAdoption"]
}

/** How a call came to its input. */
type Origin = { readonly parent: KeptResponse | undefined; readonly input: readonly Json[] }

const CALL_TYPES: ReadonlySet<unknown> = new Set(["function_call", "custom_tool_call"])

/** `keepsAll`: also what its client wants not stored, for a memory that ends with the client's connection. */
export type MemoryOptions = {
  readonly keepsAll?: boolean
  /** Told of each response that is remembered; `pack` makes it fit for another process. */
  readonly remembered?: (pack: () => ShelvedResponse) => void
}

/** Makes an empty memory. */
export function makeResponseMemory(
  clock: Clock,
  limits: () => MemoryLimits,
  { keepsAll = false, remembered }: MemoryOptions = {},
): ResponseMemory {
  const shelf = makeResponseShelf(clock, limits)
  const origins = new WeakMap<JsonObject, Origin>()
  const found = (owner: string, id: string) => {
    const response = shelf.get(owner, id)
    if (response !== undefined) return response
    throw new GatewayError("not-found", "The response is not remembered: it is unknown, too old, or was not stored.", {
      code: "response_not_found",
    })
  }

  return {
    expand: call => {
      const { json } = call
      const previous = json["previous_response_id"] ?? undefined
      const input = inputItemsOf(json["input"])
      if (!limits().isOn || (previous === undefined && input?.some(isReference) !== true)) return call
      const owner = call.principal.keyId
      const parent = previous === undefined ? undefined : parentOf(shelf.get(owner, String(previous)), previous)
      const own = (input ?? []).map((item, index) => resolved(item, index, id => shelf.item(owner, id)))
      const before = parent === undefined ? [] : conversationOf(parent)
      const added = withoutKnown(own, before)
      const { previous_response_id: _, ...rest } = json
      const expanded = { ...rest, input: [...before, ...added] }
      origins.set(expanded, { parent, input: added })
      return { ...call, json: expanded }
    },
    has: (owner, id) => shelf.get(owner, id) !== undefined,
    remember: (call, text) => {
      if (!limits().isOn || (call.json["store"] === false && !keepsAll)) return
      // Sliced out: the response may be long, and most are never asked for.
      const id = /^"([^"\\]+)"$/.exec(memberText(text, "id") ?? "")?.[1]
      if (id === undefined) return
      const { parent, input } = origins.get(call.json) ?? {
        parent: undefined,
        input: inputItemsOf(call.json["input"]) ?? [],
      }
      const response = { owner: call.principal.keyId, id, parent, input, text }
      shelf.put(response)
      remembered?.(() => shelf.pack(response))
    },
    response: (owner, id) => parseJsonObject(found(owner, id).text) ?? {},
    inputItems: (owner, id) => {
      const { parent, input } = found(owner, id)
      return parent === undefined ? input : [...conversationOf(parent), ...input]
    },
    forget: (owner, id) => {
      found(owner, id)
      shelf.remove(owner, id)
    },
    sizeBytes: shelf.sizeBytes,
    all: shelf.all,
    adopt: shelf.adopt,
    endAdoption: shelf.endAdoption,
  }
}

function parentOf(parent: KeptResponse | undefined, id: Json): KeptResponse {
  if (parent !== undefined) return parent
  const hint =
    typeof id === "string" && id.startsWith("msg_")
      ? "This is a message id, not a response id."
      : "It is unknown here, too old, or was not stored; send the whole conversation in 'input'."
  throw invalidRequest(`Previous response not found. ${hint}`, "previous_response_id", "previous_response_not_found")
}

function isReference(item: Json): item is JsonObject {
  return isJsonObject(item) && item["type"] === "item_reference"
}

function resolved(item: Json, index: number, find: (id: string) => JsonObject | undefined): Json {
  if (!isReference(item)) return item
  const known = find(stringAt(item, "id") ?? "")
  if (known !== undefined) return known
  throw invalidRequest(
    `Item 'input[${index}]' is not remembered; send the item itself (for SDKs: set 'store' to false).`,
    `input[${index}].id`,
    "item_reference_not_found",
  )
}

/** Clients that also send what the response before stood for get it once. */
function withoutKnown(items: readonly Json[], before: readonly Json[]): readonly Json[] {
  if (before.length === 0) return items
  const known = new Set(before.filter(isJsonObject).flatMap(namesOf))
  return items.filter(item => !isJsonObject(item) || !namesOf(item).some(name => known.has(name)))
}

/** What an item is recognised by: its id, and for calls and their results which call it is about. */
function namesOf(item: JsonObject): readonly string[] {
  const id = stringAt(item, "id")
  const callId = stringAt(item, "call_id")
  const side = CALL_TYPES.has(item["type"]) ? "call" : "result"
  return [...(id ? [`id ${id}`] : []), ...(callId ? [`${side} ${callId}`] : [])]
}
