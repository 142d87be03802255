/** Remembers, for one socket, what its server has in context, so that a turn can send only what is new. */

import type { JsonObject } from "#core/json.ts"

import { inputItemsOf, itemPieces } from "./item-pieces.ts"

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

type Context = { readonly settings: bigint; readonly items: bigint; readonly count: number }

/** Not compared: it says nothing to the model. Source: codex-rs/core/src/client.rs. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["input", "client_metadata", "stream_options"])

const START = 0n
const ITEM_END = "\u0000end"

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
      let hash = START
      let prefix: bigint | undefined
      for (const [index, item] of items.entries()) {
        if (index === before?.count) prefix = hash
        hash = withItem(hash, item)
      }
      known = undefined
      output = []
      asked = { settings, items: hash, count: items.length }
      // With nothing new there is nothing to chain: the same request again wants another answer.
      const isSame = before !== undefined && before.settings === settings && prefix === before.items
      return isSame ? { responseId: before.responseId, newItems: items.slice(before.count) } : undefined
    },
    noteItem: (index, item) => {
      output.push({ index, item })
    },
    complete: responseId => {
      if (asked === undefined) return
      const { settings, items, count } = asked
      const inOrder = output.toSorted((left, right) => left.index - right.index)
      const all = inOrder.reduce((hash, { item }) => withItem(hash, item), items)
      known = { settings, items: all, count: count + output.length, responseId }
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

/**
 * A fast hash will do: it compares a conversation with itself, and whoever could make two of his own collide would only
 * confuse his own. Each piece seeds the next, so that borders between pieces count; an item ends with a mark.
 */
function withItem(hash: bigint, item: JsonObject): bigint {
  let next = hash
  for (const piece of itemPieces(item)) next = hashOf(piece, next)
  return hashOf(ITEM_END, next)
}

function settingsOf(body: JsonObject): bigint {
  const compared = Object.entries(body).filter(([key]) => !NOT_COMPARED.has(key))
  return hashOf(JSON.stringify(compared), START)
}

function hashOf(text: string, seed: bigint): bigint {
  return BigInt(Bun.hash(text, seed))
}
