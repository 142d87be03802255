/** Remembers, for one socket, what its server has in context, so that a turn can send only what is new. */

import type { JsonObject } from "#core/json.ts"

import { inputItemsOf, itemKey } from "./item-key.ts"

/** What a turn may leave out. */
export type Link = { readonly responseId: string; readonly newItems: readonly JsonObject[] }

/** The memory of one socket. It keeps hashes, never the conversation. */
export type Chain = {
  /** Notes the request of the turn that begins; returns how it can build on the last one. */
  readonly begin: (body: JsonObject) => Link | undefined
  /** An item the server has finished. */
  readonly noteItem: (outputIndex: number, item: JsonObject) => void
  /** The turn ended well. */
  readonly complete: (responseId: string) => void
  /** The turn ended in any other way: the next one sends everything. */
  readonly forget: () => void
}

type Context = { readonly settings: string; readonly items: Bun.CryptoHasher; readonly count: number }

/** Not compared: it says nothing to the model. Source: codex-rs/core/src/client.rs. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["input", "client_metadata", "stream_options"])

/** Makes an empty memory. */
export function makeChain(): Chain {
  let known: (Context & { readonly responseId: string }) | undefined
  let asked: Context | undefined
  let output: { readonly index: number; readonly item: JsonObject }[] = []
  return {
    begin: body => {
      const before = known
      const items = inputItemsOf(body)
      const settings = settingsOf(body)
      const hash = new Bun.CryptoHasher("sha256")
      let prefix = ""
      for (const [index, item] of items.entries()) {
        if (index === before?.count) prefix = hash.copy().digest("hex")
        addItem(hash, item)
      }
      known = undefined
      output = []
      asked = { settings, items: hash, count: items.length }
      // With nothing new there is nothing to chain: the same request again wants another answer.
      const isSame =
        before !== undefined && before.settings === settings && prefix === before.items.copy().digest("hex")
      return isSame ? { responseId: before.responseId, newItems: items.slice(before.count) } : undefined
    },
    noteItem: (index, item) => {
      output.push({ index, item })
    },
    complete: responseId => {
      if (asked === undefined) return
      const { settings, items, count } = asked
      for (const { item } of output.toSorted((left, right) => left.index - right.index)) addItem(items, item)
      known = { settings, items, count: count + output.length, responseId }
      asked = undefined
      output = []
    },
    forget: () => {
      known = undefined
      asked = undefined
      output = []
    },
  }
}

function addItem(hash: Bun.CryptoHasher, item: JsonObject): void {
  // The separator cannot stand in JSON, so that no two lists of items make one text.
  hash.update(`${itemKey(item)}\u0000`)
}

function settingsOf(body: JsonObject): string {
  const compared = Object.entries(body).filter(([key]) => !NOT_COMPARED.has(key))
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(compared)).digest("hex")
}
