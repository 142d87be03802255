/** Client keys at the operators' desk: list, create, change, rotate, delete. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { makeId, type RandomBytes } from "#core/ids.ts"
import { type ClientKey, type ClientKeyFacts, makeClientKey } from "#gateway/keys/client-key.ts"
import { KEY_ID_PREFIX } from "#gateway/keys/key-gate.ts"
import type { KeyLines } from "#gateway/keys/key-line.ts"
import { mayUseModel } from "#gateway/keys/key-rights.ts"
import type { KeyEntry, KeyRing } from "#gateway/keys/key-ring.ts"
import { makeKeyText, prefixOf } from "#gateway/keys/key-secret.ts"
import type { UsageKeeper } from "#gateway/keys/usage-keeper.ts"

import { applied, type KeyOrder } from "./key-order.ts"
import { type KeyReport, reportKey } from "./key-report.ts"

/** A key that was just made: the only time its text is shown. */
export type NewKey = { readonly key: string; readonly report: KeyReport }

/** A key whose row cannot be read. */
export type DamagedKey = { readonly id: string; readonly name: string; readonly prefix: string }

/** The desk. Everything throws `key-store-unavailable` while the store cannot be read. */
export type KeyDesk = {
  readonly list: () => readonly KeyReport[]
  readonly damaged: () => readonly DamagedKey[]
  /** By id, name or prefix. Throws `not-found`, or `invalid-request` when it fits several. */
  readonly show: (target: string) => KeyReport
  /** `text` is a key of the operator's own choice. Throws `invalid-request`; the key is on the disk when this returns. */
  readonly create: (order: KeyOrder & { readonly name: string }, text?: string) => NewKey
  readonly change: (target: string, order: KeyOrder) => KeyReport
  /** Gives the key another text; the old one opens nothing from then on. */
  readonly rotate: (target: string, text?: string) => NewKey
  readonly remove: (target: string) => KeyReport | DamagedKey
  /** Sets back what the key has used. */
  readonly resetUsage: (target: string) => KeyReport
  /** The key of a client's principal, for its own eyes; undefined for keys of the configuration. */
  readonly own: (keyId: string) => KeyReport | undefined
  /** Which models a principal may use, by their names; undefined = all. */
  readonly modelsOf: (keyId: string) => ((names: readonly string[]) => boolean) | undefined
}

/** What the desk is made of. */
export type KeyDeskParts = {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly ring: KeyRing
  readonly lines: KeyLines
  readonly keeper: UsageKeeper
  /** Keys of the configuration, which no stored key may repeat. */
  readonly configured: () => readonly string[]
}

/** A key of one's own choice that is shorter could be guessed. */
const MIN_TEXT_CHARS = 16
const TEXT_PATTERN = /^[!-~]+$/

/** Makes the desk. */
export function makeKeyDesk(parts: KeyDeskParts): KeyDesk {
  const { clock, ring, lines, keeper } = parts
  const shown = (entry: KeyEntry) => reportKey(entry, lines, clock())
  const find = (target: string) => findKey(ring, target)

  function newText(text: string | undefined): string {
    if (text === undefined) return makeKeyText(parts.random)
    checkText(text, parts)
    return text
  }

  function save(facts: ClientKeyFacts): KeyEntry {
    return ring.put(makeClientKey({ ...facts, updatedAtMs: clock() }))
  }

  return {
    list: () => ring.all().map(shown),
    damaged: () => ring.damaged().map(({ keyId: id, name, prefix }) => ({ id, name, prefix })),
    show: target => shown(find(target)),
    create: (order, text) => {
      const key = newText(text)
      const blank = blankKey(parts, order.name, { hash: ring.hashOf(key), prefix: prefixOf(key) })
      return { key, report: shown(save(applied(blank, order))) }
    },
    change: (target, order) => shown(save(applied(find(target).key, order))),
    rotate: (target, text) => {
      const { key } = find(target)
      const next = newText(text)
      return { key: next, report: shown(save({ ...key, hash: ring.hashOf(next), prefix: prefixOf(next) })) }
    },
    remove: target => {
      const broken = ring.damaged().find(row => row.keyId === target)
      const removed =
        broken === undefined ? shown(find(target)) : { id: broken.keyId, name: broken.name, prefix: broken.prefix }
      keeper.forget(removed.id)
      ring.remove(removed.id)
      return removed
    },
    resetUsage: target => {
      const entry = find(target)
      keeper.forget(entry.key.id)
      ring.reset(entry.key.id)
      // What is held for requests under way goes on being held.
      keeper.changed(entry)
      return shown(entry)
    },
    modelsOf: keyId => {
      const key = ring.get(keyId)?.key
      return key?.policy.models === undefined ? undefined : names => mayUseModel(key, names)
    },
    own: keyId => {
      const entry = ring.get(keyId)
      return entry === undefined ? undefined : shown(entry)
    },
  }
}

function findKey(ring: KeyRing, target: string): KeyEntry {
  const all = ring.all()
  const exact = all.find(({ key }) => key.id === target)
  if (exact !== undefined) return exact
  const found = all.filter(({ key }) => key.name === target || key.prefix === target)
  const [first] = found
  if (first === undefined) {
    throw new GatewayError("not-found", "There is no client key of that name.", {
      code: "key_not_found",
      hint: "`sluice keys list` shows ids and names. Keys of `api-keys` stand in the configuration.",
    })
  }
  if (found.length === 1) return first
  throw new GatewayError("invalid-request", `${found.length} client keys fit that name.`, {
    code: "key_ambiguous",
    hint: `Name it by its id: ${found.map(({ key }) => key.id).join(", ")}.`,
  })
}

function blankKey(
  { clock, random }: KeyDeskParts,
  name: string,
  secret: Pick<ClientKey, "hash" | "prefix">,
): ClientKeyFacts {
  const nowMs = clock()
  return {
    id: makeId(KEY_ID_PREFIX, random, 8),
    ...secret,
    name,
    owner: undefined,
    note: undefined,
    enabled: true,
    expiresAtMs: undefined,
    expiresAfterUseMs: undefined,
    policy: {},
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

function checkText(text: string, { ring, configured }: KeyDeskParts): void {
  if (text.length < MIN_TEXT_CHARS || !TEXT_PATTERN.test(text)) {
    throw new GatewayError(
      "invalid-request",
      `\`key\`: expected at least ${MIN_TEXT_CHARS} printable ASCII characters without spaces.`,
      {
        code: "invalid_order",
        hint: "Leave it out, and a key is made that nobody can guess.",
      },
    )
  }
  if (!configured().includes(text) && ring.find(text) === undefined) return
  throw new GatewayError("invalid-request", "`key`: there is such a key already.", {
    code: "key_exists",
    hint: "Choose another one, or leave it out.",
  })
}
