/** Ids of tool calls as clients of this dialect accept them. */

const ACCEPTABLE = /^[A-Za-z0-9_-]+$/

/** Ids of the upstream's own items. They name nothing outside of it. */
const ITEM_ID = /^(fc|rs|ws|msg|ctc)_/

const HASH_CHARS = 24

/** Gives out ids that are unique within one message. */
export type ToolIds = { readonly next: (callId: string) => string }

/** Makes the ids of one answer. `seed` is the request's id: an id made up must not repeat in the conversation. */
export function makeToolIds(seed: string): ToolIds {
  const taken = new Set<string>()
  return {
    next: callId => {
      const wanted = acceptable(callId, () => `${seed}\n${taken.size}\n${callId}`)
      let id = wanted
      for (let count = 2; taken.has(id); count++) id = `${wanted}_${count}`
      taken.add(id)
      return id
    },
  }
}

function acceptable(callId: string, seed: () => string): string {
  const isForeign = callId === "" || callId === "call_unnamed" || ITEM_ID.test(callId)
  if (isForeign) return `toolu_${new Bun.CryptoHasher("sha256").update(seed()).digest("hex").slice(0, HASH_CHARS)}`
  return ACCEPTABLE.test(callId) ? callId : callId.replace(/[^A-Za-z0-9_-]/g, "_")
}

/** Id of a hosted search: the upstream's own id without its prefix. */
export function searchIdOf(itemId: string, index: number): string {
  const rest = itemId.replace(/^ws_/, "").replace(/[^A-Za-z0-9_-]/g, "_")
  return `srvtoolu_${rest === "" ? index : rest}`
}
