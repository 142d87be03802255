/** Responses kept for a while, each on top of the one it continues; bounded in bytes, in number and in time. */

import type { Clock } from "#core/clock.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"

import { jsonSizeBytes } from "./json-size.ts"

/** Most responses that are kept, whatever their size. */
const MAX_RESPONSES = 20_000

/** A response that is kept. */
export type KeptResponse = {
  readonly owner: string
  readonly id: string
  /** What it continues. */
  readonly parent: KeptResponse | undefined
  /** What its request brought besides that. */
  readonly input: readonly Json[]
  /** The response object as JSON text; parsed when it is asked for. */
  readonly text: string
}

/** What is put in. */
export type NewResponse = KeptResponse

/** A response on its way to another process. Numbers stand for what it continues: ids may have been used twice. */
export type ShelvedResponse = Omit<KeptResponse, "parent"> & {
  readonly number: number
  readonly parent?: number
  readonly endsAtMs: number
  /** False: it is only there for what continues it. */
  readonly isShelved: boolean
}

/** Limits that may change while running. */
export type ShelfLimits = { readonly maxBytes: number; readonly ttlMs: number }

/** The shelf. An owner sees nothing of another's. */
export type ResponseShelf = {
  readonly put: (response: NewResponse) => void
  readonly get: (owner: string, id: string) => KeptResponse | undefined
  /** Finds an item that a kept response of the owner has brought or got. */
  readonly item: (owner: string, id: string) => JsonObject | undefined
  /** Returns whether it was there. */
  readonly remove: (owner: string, id: string) => boolean
  /** Bytes in use, by estimate. */
  readonly sizeBytes: () => number
  /** Everything, each after what it continues. */
  readonly all: () => Iterable<ShelvedResponse>
  /** One that was put in, or was told before. */
  readonly pack: (response: KeptResponse) => ShelvedResponse
  /** Takes over what another process had. */
  readonly adopt: (shelved: ShelvedResponse) => void
  /** The other process is gone: what it had and nothing on the shelf continues is let go. */
  readonly endAdoption: () => void
}

type Entry = {
  readonly response: KeptResponse
  readonly bytes: number
  readonly endsAtMs: number
  /** Kept responses that continue it, and one for its own place on the shelf. */
  uses: number
  items: ReadonlyMap<string, JsonObject> | undefined
}

/** Returns the conversation up to and including a response, oldest first. */
export function conversationOf(response: KeptResponse): readonly Json[] {
  const chain: KeptResponse[] = []
  for (let at: KeptResponse | undefined = response; at !== undefined; at = at.parent) chain.push(at)
  return chain.reverse().flatMap(one => [...one.input, ...outputOf(one)])
}

/** The items a response has brought. */
function outputOf({ text }: KeptResponse): readonly Json[] {
  return arrayAt(parseJsonObject(text) ?? {}, "output") ?? []
}

/** Makes an empty shelf. */
export function makeResponseShelf(clock: Clock, limits: () => ShelfLimits): ResponseShelf {
  /** In order of arrival, which is the order in which they end. */
  const shelf = new Map<string, Entry>()
  const entries = new Map<KeptResponse, Entry>()
  const packing = makePacking()
  let totalBytes = 0

  const release = (response: KeptResponse) => {
    const entry = entries.get(response)
    if (entry === undefined) return
    entry.uses -= 1
    if (entry.uses > 0) return
    entries.delete(response)
    totalBytes -= entry.bytes
    if (response.parent !== undefined) release(response.parent)
  }
  const take = (key: string) => {
    const entry = shelf.get(key)
    if (entry === undefined) return false
    shelf.delete(key)
    release(entry.response)
    return true
  }
  const makeRoom = () => {
    const { maxBytes } = limits()
    const nowMs = clock()
    for (const [key, entry] of shelf) {
      if (entry.endsAtMs > nowMs && totalBytes <= maxBytes && shelf.size <= MAX_RESPONSES) return
      take(key)
    }
  }
  const find = (owner: string, id: string) => {
    makeRoom()
    return shelf.get(keyOf(owner, id))
  }

  const put = (response: KeptResponse, endsAtMs: number) => {
    take(keyOf(response.owner, response.id))
    const bytes = jsonSizeBytes(response.input) + jsonSizeBytes(response.text)
    const entry: Entry = { response, bytes, endsAtMs, uses: 1, items: undefined }
    const parent = response.parent === undefined ? undefined : entries.get(response.parent)
    if (parent !== undefined) parent.uses += 1
    shelf.set(keyOf(response.owner, response.id), entry)
    entries.set(response, entry)
    totalBytes += bytes
    makeRoom()
  }
  const pack = (response: KeptResponse): ShelvedResponse => {
    const endsAtMs = entries.get(response)?.endsAtMs ?? clock()
    const isShelved = shelf.get(keyOf(response.owner, response.id))?.response === response
    return packing.pack(response, { endsAtMs, isShelved })
  }

  return {
    put: response => put(response, clock() + limits().ttlMs),
    get: (owner, id) => find(owner, id)?.response,
    item: (owner, id) => {
      makeRoom()
      for (const entry of [...shelf.values()].reverse()) {
        if (entry.response.owner !== owner) continue
        entry.items ??= itemsById(entry.response)
        const item = entry.items.get(id)
        if (item !== undefined) return item
      }
      return undefined
    },
    remove: (owner, id) => take(keyOf(owner, id)),
    sizeBytes: () => totalBytes,
    all: () => [...entries.keys()].map(pack),
    pack,
    adopt: shelved => {
      const response = packing.unpack(shelved)
      if (shelved.isShelved) put(response, shelved.endsAtMs)
    },
    endAdoption: packing.forget,
  }
}

/** Numbers for responses that leave, and responses for numbers that come. */
function makePacking() {
  const numbers = new WeakMap<KeptResponse, number>()
  const known = new Map<number, KeptResponse>()
  let last = 0
  const numberOf = (response: KeptResponse): number => {
    const number = numbers.get(response) ?? ++last
    numbers.set(response, number)
    return number
  }
  return {
    pack: (response: KeptResponse, rest: Pick<ShelvedResponse, "endsAtMs" | "isShelved">): ShelvedResponse => {
      const { owner, id, parent, input, text } = response
      const number = numberOf(response)
      return { number, owner, id, input, text, ...rest, ...(parent !== undefined && { parent: numberOf(parent) }) }
    },
    unpack: ({ number, owner, id, parent, input, text }: ShelvedResponse): KeptResponse => {
      const response = { owner, id, input, text, parent: parent === undefined ? undefined : known.get(parent) }
      known.set(number, response)
      return response
    },
    forget: () => known.clear(),
  }
}

function keyOf(owner: string, id: string): string {
  return `${owner.length}:${owner}\n${id}`
}

function itemsById(response: KeptResponse): ReadonlyMap<string, JsonObject> {
  const items = [...response.input, ...outputOf(response)].filter(isJsonObject)
  return new Map(items.map(item => [stringAt(item, "id") ?? "", item]))
}
