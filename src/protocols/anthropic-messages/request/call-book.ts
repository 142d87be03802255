/** Ids of the calls in a conversation, made legal and distinct so that every result finds its call. */

/** Longest id upstreams take. */
const MAX_ID_CHARS = 64

const KEPT_CHARS = 40
const HASH_CHARS = 16

const LEGAL = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Gives calls and results the same id. Depends on nothing but the ids so far, so that a conversation that grows keeps
 * its beginning to the byte. An empty id stays empty: it is paired by its position.
 */
export type CallBook = {
  /** The assistant speaks: results that follow belong to the calls it makes from here on. */
  readonly beginRound: () => void
  readonly call: (id: string) => string
  readonly result: (id: string) => string
  /** True when a call of this id has been made. */
  readonly knows: (id: string) => boolean
}

/** Makes an empty book. */
export function makeCallBook(): CallBook {
  const owners = new Map<string, string>()
  const latest = new Map<string, string>()
  /** Calls of the present round by the client's id, oldest first. */
  let open = new Map<string, string[]>()

  const take = (wanted: string, owner: string): string => {
    let id = wanted
    for (let count = 2; owners.has(id); count++) {
      const suffix = `_${count}`
      id = wanted.slice(0, MAX_ID_CHARS - suffix.length) + suffix
    }
    owners.set(id, owner)
    return id
  }
  const fresh = (id: string): string => {
    const plain = legalId(id)
    // Another id already came to this one: the hash tells the two apart.
    const isTaken = owners.has(plain) && owners.get(plain) !== id
    return take(isTaken ? hashedId(id) : plain, id)
  }

  return {
    beginRound: () => {
      open = new Map()
    },
    call: id => {
      if (id === "") return ""
      const upstream = fresh(id)
      latest.set(id, upstream)
      open.set(id, [...(open.get(id) ?? []), upstream])
      return upstream
    },
    result: id => {
      const waiting = open.get(id)
      if (waiting !== undefined && waiting.length > 1) return waiting.shift() ?? ""
      return waiting?.[0] ?? latest.get(id) ?? legalId(id)
    },
    knows: id => latest.has(id),
  }
}

function legalId(id: string): string {
  if (id === "" || LEGAL.test(id)) return id
  return id.length > MAX_ID_CHARS ? hashedId(id) : id.replace(/[^A-Za-z0-9_-]/g, "_")
}

/** Ids that differ only far behind stay different. */
function hashedId(id: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(id).digest("hex").slice(0, HASH_CHARS)
  return `${id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, KEPT_CHARS)}_${hash}`
}
