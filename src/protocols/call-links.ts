/** Which call a tool's answer belongs to, in dialects whose ids are optional and often missing on one side. */

/** Longest id upstreams take. */
const MAX_ID_CHARS = 64

const LEGAL = /^[A-Za-z0-9_-]{1,64}$/
const HASH_CHARS = 32
const ORDINAL_DIGITS = 6

type OpenCall = { readonly givenId: string; readonly name: string; readonly callId: string }

/** Links calls and answers. Depends on nothing but what came before, so that a growing conversation keeps its beginning. */
export type CallLinks = {
  /** Opens a call and returns its id. */
  readonly call: (givenId: string, name: string) => string
  /** Closes the call that is answered and returns its id; undefined for an answer without a call. */
  readonly answer: (givenId: string, name: string) => string | undefined
}

/** Makes the links of one request; ids that are made up begin with `prefix`. */
export function makeCallLinks(prefix: string): CallLinks {
  const open: OpenCall[] = []
  const taken = new Set<string>()
  let calls = 0
  return {
    call: (rawId, name) => {
      const givenId = rawId.trim()
      const callId = free(
        givenId === "" ? `${prefix}${String(calls).padStart(ORDINAL_DIGITS, "0")}` : legalId(givenId),
        taken,
      )
      calls += 1
      taken.add(callId)
      open.push({ givenId, name, callId })
      return callId
    },
    answer: (rawId, name) => {
      const at = findCall(open, rawId.trim(), name)
      return at === -1 ? undefined : open.splice(at, 1)[0]?.callId
    },
  }
}

/** By id, else the first of the name, else, without a name, the oldest. */
function findCall(open: readonly OpenCall[], id: string, name: string): number {
  const byId = id === "" ? -1 : open.findIndex(call => call.givenId === id)
  if (byId !== -1) return byId
  if (name === "") return open.length > 0 ? 0 : -1
  return open.findIndex(call => call.name === name)
}

function legalId(id: string): string {
  if (LEGAL.test(id)) return id
  return `call_${new Bun.CryptoHasher("sha256").update(id).digest("hex").slice(0, HASH_CHARS)}`
}

function free(wanted: string, taken: ReadonlySet<string>): string {
  let id = wanted
  for (let count = 2; taken.has(id); count++) {
    const suffix = `_${count}`
    id = wanted.slice(0, MAX_ID_CHARS - suffix.length) + suffix
  }
  return id
}
