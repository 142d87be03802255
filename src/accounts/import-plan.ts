/** What an import would do: every entry's result, and each account once with what has to be written for it. */

import { join } from "node:path"

import { type Account, maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { accountFromDraft, type CredentialMemory } from "./account-from-draft.ts"
import { refreshFingerprint, sha256Hex } from "./fingerprint.ts"
import type { AccountDraft } from "./formats/account-draft.ts"
import type { ListFormat } from "./formats/format-names.ts"
import { type ImportItem, readImport } from "./formats/read-import.ts"
import { hasLastingIdentity } from "./identity.ts"
import { mergeAccount } from "./merge-account.ts"

/** A text to take in and what to call it: a file's name or `standard input`. */
export type ImportSource = { readonly name: string; readonly text: string }

/** What became of one entry. Nothing in it is a secret; the label is masked. */
export type ImportResult = {
  readonly source: string
  /** `entry 3`, `line 5`; blank for the only entry of a source. */
  readonly where: string
  readonly outcome: "added" | "updated" | "unchanged" | "refused"
  readonly accountId?: AccountId
  readonly label?: string
  readonly reason?: string
}

/** One account that has to be written. `rewrites` = the present account whose file is brought up to date. */
export type PlannedWrite = { readonly account: Account; readonly rewrites?: Account }

/** A source that was read, and as what. */
export type ReadSource = { readonly name: string; readonly format?: ListFormat; readonly count: number }

/** The plan; applying it is another step. */
export type ImportPlan = {
  readonly sources: readonly ReadSource[]
  readonly results: readonly ImportResult[]
  readonly writes: readonly PlannedWrite[]
}

/** What planning needs. */
export type ImportParts = {
  readonly authDir: string
  /** The accounts that are there already. */
  readonly present: Iterable<Account>
  /** Names of all files of the directory. */
  readonly fileNames: Iterable<string>
  readonly memory: CredentialMemory
  readonly clock: Clock
  /** Lets others run; awaited whenever {@link SLICE_MS} have passed. */
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
}

/** Longest stretch of work between two pauses. */
export const SLICE_MS = 20

/** One account as it grows while entries are taken in. */
type Known = { account: Account; readonly before: Account | undefined; isChanged: boolean }

type Planner = {
  readonly parts: ImportParts
  readonly byId: Map<AccountId, Known>
  readonly byRefresh: Map<string, Known>
  readonly names: Set<string>
  readonly order: Known[]
}

function fingerprintOf({ credential }: Account): string | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  return refreshFingerprint(credential.refreshToken)
}

function index(planner: Planner, known: Known): void {
  planner.byId.set(known.account.id, known)
  const fingerprint = fingerprintOf(known.account)
  if (fingerprint !== undefined) planner.byRefresh.set(fingerprint, known)
}

/** The account that holds the same refresh token, or held it before it was rotated. */
function findByRefreshToken(planner: Planner, account: Account): Known | undefined {
  const fingerprint = fingerprintOf(account)
  if (fingerprint === undefined) return undefined
  const [remembered] = planner.parts.memory.byFingerprint(fingerprint)
  const known =
    planner.byRefresh.get(fingerprint) ??
    (remembered === undefined ? undefined : planner.byId.get(remembered.accountId))
  // One sign-in may serve several workspaces: those stay apart although they share the token.
  const areBothCertain = known !== undefined && hasLastingIdentity(known.account) && hasLastingIdentity(account)
  return areBothCertain ? undefined : known
}

/** An account's own file is named after a fingerprint: neither e-mail nor anything else of it shows in listings. */
function ownPath(planner: Planner, draft: AccountDraft): { readonly account: Account; readonly name: string } {
  const { authDir } = planner.parts
  const opaque = `codex-${sha256Hex(`access\n${draft.accessToken ?? ""}`).slice(0, 16)}.json`
  const account = accountFromDraft({ ...draft, index: 0 }, join(authDir, opaque))
  const certain = hasLastingIdentity(account) || draft.refreshToken !== undefined || draft.apiKey !== undefined
  if (!certain) return { account, name: opaque }
  const name = `codex-${account.id.slice("acc_".length)}.json`
  return { account: accountFromDraft({ ...draft, index: 0 }, join(authDir, name)), name }
}

function addAccount(planner: Planner, account: Account, name: string): void {
  let free = name
  for (let count = 2; planner.names.has(free); count++) free = name.replace(/\.json$/, `-${count}.json`)
  planner.names.add(free)
  const known: Known = {
    account: { ...account, source: { path: join(planner.parts.authDir, free), index: 0 } },
    before: undefined,
    isChanged: true,
  }
  planner.order.push(known)
  index(planner, known)
}

type Taken = Pick<ImportResult, "outcome" | "accountId" | "label" | "reason">

function take(planner: Planner, draft: AccountDraft): Taken {
  const { account, name } = ownPath(planner, draft)
  const known = planner.byId.get(account.id) ?? findByRefreshToken(planner, account)
  if (known === undefined) {
    addAccount(planner, account, name)
    return { outcome: "added", accountId: account.id, label: maskLabel(account.label) }
  }
  const merged = mergeAccount(known.account, account)
  const label = maskLabel((merged ?? known.account).label)
  if (merged === undefined) return { outcome: "unchanged", accountId: known.account.id, label }
  known.account = merged
  if (!known.isChanged) planner.order.push(known)
  known.isChanged = true
  index(planner, known)
  return { outcome: "updated", accountId: merged.id, label }
}

function resultOf(planner: Planner, source: string, item: ImportItem): ImportResult {
  const { where } = item
  if ("reason" in item) return { source, where, outcome: "refused", reason: item.reason }
  return { source, where, ...take(planner, item.draft) }
}

type Opened = ReadSource & { readonly items: Iterable<ImportItem> }

function openSource({ name, text }: ImportSource, forced: ListFormat | undefined): Opened {
  try {
    return { name, ...readImport(text, forced) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // One unreadable source must not hide the results of the others.
    const reason = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
    return { name, count: 1, items: [{ where: "", reason }] }
  }
}

function makePlanner(parts: ImportParts): Planner {
  const planner: Planner = {
    parts,
    byId: new Map(),
    byRefresh: new Map(),
    names: new Set(parts.fileNames),
    order: [],
  }
  for (const account of parts.present) index(planner, { account, before: account, isChanged: false })
  return planner
}

/**
 * Plans an import; writes nothing. Entries that describe one account (same user and workspace, else same refresh token)
 * become one, the fresher token wins. Rejects with the signal's reason when it aborts.
 */
export async function planImport(
  parts: ImportParts,
  sources: Iterable<ImportSource>,
  forced?: ListFormat,
): Promise<ImportPlan> {
  const planner = makePlanner(parts)
  const read: ReadSource[] = []
  const results: ImportResult[] = []
  let sliceEndsAtMs = parts.clock() + SLICE_MS
  for (const source of sources) {
    const { items, ...facts } = openSource(source, forced)
    read.push(facts)
    for (const item of items) {
      results.push(resultOf(planner, source.name, item))
      if (parts.clock() < sliceEndsAtMs) continue
      await parts.pause()
      parts.signal.throwIfAborted()
      sliceEndsAtMs = parts.clock() + SLICE_MS
    }
  }
  const writes = planner.order.map(({ account, before }) => ({ account, ...(before && { rewrites: before }) }))
  return { sources: read, results, writes }
}
