/** What operators set for single accounts, laid over what files and tokens say of them. */

import { compact } from "#accounts/formats/compact.ts"
import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { arrayAt, type JsonObject, numberAt, parseJsonObject, stringAt } from "#core/json.ts"

import { type EgressChoice, egressOfChoice, readEgressChoice } from "./egress-choice.ts"

/** Absent = nothing was set. */
export type AccountSettings = {
  readonly label?: string
  readonly note?: string
  readonly tags?: readonly string[]
  /** Counts over what the account's file says. */
  readonly paused?: boolean
  /** In the recycle bin since then; milliseconds since the epoch. */
  readonly archivedAtMs?: number
  /** Counts over what the account's source names. */
  readonly egress?: EgressChoice
}

/** A change: a member with a value sets it, `null` takes it back, an absent one leaves it. */
export type SettingsChange = { readonly [K in keyof AccountSettings]?: AccountSettings[K] | null }

/** One change for all accounts it is ordered for, or one for each. */
export type SettingsChanges = SettingsChange | ((id: AccountId) => SettingsChange)

/** A row as the store keeps it. */
export type SettingsRow = {
  readonly accountId: AccountId
  readonly settingsJson: string
  readonly updatedAtMs: number
}

/** What is needed of the store; its own functions fit. */
export type SettingsRows = {
  readonly listAccountSettings: () => readonly SettingsRow[]
  readonly writeAccountSettings: (rows: readonly SettingsRow[]) => void
}

/** The settings of all accounts. */
export type SettingsBook = {
  readonly of: (id: AccountId) => AccountSettings
  /** On the disk when this returns. Throws `invalid-request` for what does not fit, and the store's error. */
  readonly change: (ids: readonly AccountId[], changes: SettingsChanges) => void
  /** Forgets an account whose rows were deleted. */
  readonly forget: (id: AccountId) => void
}

const NOTHING_SET: AccountSettings = {}
const MAX_LABEL = 200
const MAX_NOTE = 10_000
const MAX_TAGS = 50
const MAX_TAG = 50

function textsAt(object: JsonObject, key: string): readonly string[] | undefined {
  const values = arrayAt(object, key)?.filter(value => typeof value === "string")
  return values === undefined || values.length === 0 ? undefined : values
}

function readRow(row: SettingsRow): AccountSettings {
  const value = parseJsonObject(row.settingsJson)
  if (value === undefined) return NOTHING_SET
  const paused = value["paused"]
  return compact({
    label: stringAt(value, "label"),
    note: stringAt(value, "note"),
    tags: textsAt(value, "tags"),
    paused: typeof paused === "boolean" ? paused : undefined,
    archivedAtMs: numberAt(value, "archivedAtMs"),
    egress: readEgressChoice(value["egress"]),
  })
}

function refuse(message: string): GatewayError {
  return new GatewayError("invalid-request", message)
}

/** Blank texts and empty lists mean that nothing is set. */
function check({ label, note, tags }: AccountSettings): void {
  if (label !== undefined && label.length > MAX_LABEL) throw refuse(`A label has at most ${MAX_LABEL} characters.`)
  if (note !== undefined && note.length > MAX_NOTE) throw refuse(`A note has at most ${MAX_NOTE} characters.`)
  if (tags === undefined) return
  if (tags.length > MAX_TAGS) throw refuse(`An account has at most ${MAX_TAGS} tags.`)
  if (tags.some(tag => tag.length > MAX_TAG)) throw refuse(`A tag has at most ${MAX_TAG} characters.`)
}

function tidyTags(tags: readonly string[] | null | undefined): readonly string[] | undefined {
  const tidied = [...new Set((tags ?? []).map(tag => tag.trim()).filter(tag => tag !== ""))]
  return tidied.length === 0 ? undefined : tidied
}

function merge(before: AccountSettings, change: SettingsChange): AccountSettings {
  const pick = <K extends keyof AccountSettings>(key: K): AccountSettings[K] | undefined => {
    const value = change[key]
    if (value === undefined) return before[key]
    return value === null || value === "" ? undefined : value
  }
  const after = compact({
    label: pick("label")?.trim(),
    note: pick("note"),
    tags: tidyTags(pick("tags")),
    paused: pick("paused"),
    archivedAtMs: pick("archivedAtMs"),
    egress: pick("egress"),
  })
  check(after)
  return after
}

/** Makes the book over the store's rows and reads all of them. */
export function makeSettingsBook({
  rows,
  clock,
}: {
  readonly rows: SettingsRows
  readonly clock: Clock
}): SettingsBook {
  const byId = new Map(rows.listAccountSettings().map(row => [row.accountId, readRow(row)]))
  const of = (id: AccountId): AccountSettings => byId.get(id) ?? NOTHING_SET
  return {
    of,
    change: (ids, changes) => {
      const changeOf = typeof changes === "function" ? changes : () => changes
      const changed = ids.map(id => [id, merge(of(id), changeOf(id))] as const)
      const updatedAtMs = clock()
      rows.writeAccountSettings(
        changed.map(([accountId, settings]) => ({ accountId, settingsJson: JSON.stringify(settings), updatedAtMs })),
      )
      for (const [id, settings] of changed) byId.set(id, settings)
    },
    forget: id => {
      byId.delete(id)
    },
  }
}

/** The account as operators want it. */
export function applySettings(account: Account, settings: AccountSettings): Account {
  if (settings === NOTHING_SET) return account
  const { label, note, tags, paused, egress } = settings
  return {
    ...account,
    label: label ?? account.label,
    disabled: paused ?? account.disabled,
    ...compact({ note, tags }),
    ...(egress !== undefined && { egress: egressOfChoice(egress) }),
  }
}
