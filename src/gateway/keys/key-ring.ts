/** Every stored client key in memory, with what it has used; the store is read once and written to for each change. */

import type { ClientKeyRow, ClientKeyRows } from "#store/client-keys.ts"

import { type ClientKey, readKeyRow, writeKeyRow } from "./client-key.ts"
import { storeUnavailable } from "./key-errors.ts"
import { type KeyMeter, makeKeyMeter } from "./key-meter.ts"
import { type HashKey, makeHashKey } from "./key-secret.ts"
import { makePepper, type PepperParts, readPepper } from "./pepper.ts"

/** A key and its meter; a change replaces the key and keeps the meter. */
export type KeyEntry = { readonly key: ClientKey; readonly meter: KeyMeter }

/** The ring. What reads it throws `key-store-unavailable` while the store cannot be read: nobody then knows which keys are good. */
export type KeyRing = {
  /** False only when it is certain that there is no key. */
  readonly hasKeys: () => boolean
  /** Finds a key by its text; undefined = there is no such key. Also throws for a key whose own row cannot be read. */
  readonly find: (text: string) => KeyEntry | undefined
  /** By id, among the keys in memory. */
  readonly get: (id: string) => KeyEntry | undefined
  readonly all: () => readonly KeyEntry[]
  /** Keys whose rows cannot be read. */
  readonly damaged: () => readonly ClientKeyRow[]
  readonly hashOf: (text: string) => string
  /** Adds a key or replaces the one of that id; on the disk when this returns. */
  readonly put: (key: ClientKey) => KeyEntry
  readonly remove: (id: string) => void
  /** Sets back what the key has used; on the disk when this returns. */
  readonly reset: (id: string) => void
}

/** What the ring is made of. */
export type KeyRingParts = PepperParts & {
  readonly rows: PepperParts["rows"] & ClientKeyRows
  /** True: requests that had something reserved are still running, in the process before; default: they ended with it. */
  readonly carriesReservations?: boolean
  /** Told why the store cannot be read. */
  readonly reportFailure: (name: string, cause: unknown) => void
}

type Loaded = {
  readonly byHash: Map<string, KeyEntry>
  readonly byId: Map<string, KeyEntry>
  readonly damagedByHash: Map<string, ClientKeyRow>
  hash: HashKey | undefined
}

/** A store that could not be read is asked again at this pace. */
const RETRY_MS = 5_000

/** Makes the ring; a store that cannot be read does not throw here. */
export function makeKeyRing(parts: KeyRingParts): KeyRing {
  const { clock, rows } = parts
  let loaded: Loaded | undefined
  let failure: unknown
  let retryAtMs = Number.NEGATIVE_INFINITY

  function tryLoad(): Loaded | undefined {
    if (loaded !== undefined || clock() < retryAtMs) return loaded
    try {
      loaded = load(parts)
    } catch (cause) {
      failure = cause
      retryAtMs = clock() + RETRY_MS
      parts.reportFailure("reading the client keys", cause)
    }
    return loaded
  }

  function ready(): Loaded {
    const ring = tryLoad()
    if (ring === undefined) throw storeUnavailable(failure)
    return ring
  }

  function hashOf(text: string): string {
    const ring = ready()
    ring.hash ??= makeHashKey(makePepper(parts))
    return ring.hash(text)
  }

  function known(id: string): KeyEntry {
    const entry = ready().byId.get(id)
    if (entry === undefined) throw storeUnavailable()
    return entry
  }

  tryLoad()
  return {
    hasKeys: () => {
      const ring = tryLoad()
      return ring === undefined || ring.byHash.size > 0 || ring.damagedByHash.size > 0
    },
    find: text => {
      const ring = ready()
      if (ring.hash === undefined) return undefined
      const hash = ring.hash(text)
      const entry = ring.byHash.get(hash)
      if (entry === undefined && ring.damagedByHash.has(hash)) throw storeUnavailable()
      return entry
    },
    get: id => loaded?.byId.get(id),
    all: () => [...ready().byId.values()],
    damaged: () => [...ready().damagedByHash.values()],
    hashOf,
    put: key => {
      const ring = ready()
      rows.writeClientKey(writeKeyRow(key))
      const before = ring.byId.get(key.id)
      if (before !== undefined) ring.byHash.delete(before.key.hash)
      const entry = { key, meter: before?.meter ?? makeKeyMeter() }
      ring.byId.set(key.id, entry)
      ring.byHash.set(key.hash, entry)
      return entry
    },
    remove: id => {
      const ring = ready()
      rows.deleteClientKey(id)
      const entry = ring.byId.get(id)
      if (entry !== undefined) ring.byHash.delete(entry.key.hash)
      ring.byId.delete(id)
      for (const [hash, row] of ring.damagedByHash) if (row.keyId === id) ring.damagedByHash.delete(hash)
    },
    reset: id => {
      const { meter } = known(id)
      rows.deleteKeyCounters(id)
      meter.reset()
    },
  }
}

/** Throws when keys are there and the secret of their hashes is not, or cannot be opened. */
function load(parts: KeyRingParts): Loaded {
  const { rows, clock } = parts
  const found = rows.listClientKeys()
  const pepper = readPepper(parts)
  if (found.length > 0 && pepper === undefined) throw new Error("the secret of the keys' hashes is gone")
  const uses = new Map(rows.listKeyUses().map(row => [row.keyId, row]))
  const counters = Map.groupBy(rows.listKeyCounters(), row => row.keyId)
  const ring: Loaded = {
    byHash: new Map(),
    byId: new Map(),
    damagedByHash: new Map(),
    hash: pepper === undefined ? undefined : makeHashKey(pepper),
  }
  for (const row of found) {
    const key = readKeyRow(row)
    if (key === undefined) {
      ring.damagedByHash.set(row.keyHash, row)
      parts.reportFailure(`reading the client key ${row.keyId}`, new Error("its policy is not readable"))
      continue
    }
    const meter = makeKeyMeter()
    const kept = counters.get(key.id) ?? []
    const held = parts.carriesReservations === true ? kept.filter(row => row.grain === "reserved") : []
    meter.restore(held.length === 0 ? kept : kept.filter(row => row.grain !== "reserved"), clock())
    for (const row of held) meter.reserve(row)
    const use = uses.get(key.id)
    if (use !== undefined) meter.restoreUse(use.firstUsedAtMs, use.lastUsedAtMs)
    const entry = { key, meter }
    ring.byId.set(key.id, entry)
    ring.byHash.set(key.hash, entry)
  }
  return ring
}
