/** What an import would do: every entry's result, and each account once with what has to be written for it. */

import { accountFromDraft, type CredentialMemory } from "#accounts/account-from-draft.ts"
import { isSpent } from "#accounts/credentials/find-remembered.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { AccountDraft } from "#accounts/formats/account-draft.ts"
import type { ListFormat } from "#accounts/formats/format-names.ts"
import { type ImportItem, readImport } from "#accounts/formats/read-import.ts"
import { hasLastingIdentity, lastingIdOf } from "#accounts/identity.ts"
import { type Account, maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { mergeAccount, type Precedence } from "./merge-account.ts"

/** A text to take in and what to call it: a file's name or `standard input`. `fault` = why there is no text. */
export type ImportSource = { readonly name: string; readonly text: string; readonly fault?: string }

/** What became of one entry. Nothing in it is a secret; the label is masked. */
export type ImportResult = {
  readonly source: string
  /** `entry 3`, `line 5`; blank for the only entry of a source. */
  readonly where: string
  readonly outcome: "added" | "updated" | "unchanged" | "refused"
  readonly accountId?: AccountId
  readonly label?: string
  readonly reason?: string
  /** It was in the recycle bin and is back. */
  readonly restored?: true
}

/** One account that has to be written. `rewrites` = the present account that is brought up to date. */
export type PlannedWrite = {
  readonly account: Account
  readonly rewrites?: Account
  /** The format it was read from. */
  readonly origin: string
}

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
  /** The accounts that are there already, archived ones included. */
  readonly present: Iterable<Account>
  readonly memory: CredentialMemory
  readonly clock: Clock
  /** Lets others run; awaited whenever {@link SLICE_MS} have passed. */
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
}

/** How the texts are to be taken. */
export type ImportWish = {
  /** Instead of finding out the format. */
  readonly format?: ListFormat | undefined
  /** The accounts have signed in just now, so theirs is the fresher token whatever the times say. */
  readonly isSignIn?: boolean
}

/** The origin of an account that has just signed in. */
export const SIGN_IN = "sign-in"

/** Longest stretch of work between two pauses. */
const SLICE_MS = 20

/** One account as it grows while entries are taken in. */
type Known = { account: Account; readonly before: Account | undefined; origin: string; isChanged: boolean }

type Planner = {
  readonly parts: ImportParts
  readonly isSignIn: boolean
  readonly byId: Map<AccountId, Known>
  readonly byRefresh: Map<string, Known>
  readonly order: Known[]
}

function fingerprintOf({ credential }: Account): string | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  return refreshFingerprint(credential.refreshToken)
}

function index(planner: Planner, known: Known): void {
  planner.byId.set(known.account.id, known)
  // A bare refresh token's first refresh may have told who it is while its id was another one.
  const lastingId = lastingIdOf(known.account)
  if (lastingId !== undefined) planner.byId.set(lastingId, known)
  const fingerprint = fingerprintOf(known.account)
  if (fingerprint !== undefined) planner.byRefresh.set(fingerprint, known)
}

/** The account that holds the same refresh token, or held it before it was rotated. */
function findByRefreshToken(planner: Planner, account: Account): Known | undefined {
  const fingerprint = fingerprintOf(account)
  if (fingerprint === undefined) return undefined
  const remembered = planner.parts.memory.byFingerprint(fingerprint)
  const known =
    planner.byRefresh.get(fingerprint) ??
    remembered.map(({ accountId }) => planner.byId.get(accountId)).find(found => found !== undefined)
  // One sign-in may serve several workspaces: those stay apart although they share the token.
  const areBothCertain = known !== undefined && hasLastingIdentity(known.account) && hasLastingIdentity(account)
  return areBothCertain ? undefined : known
}

/** A sign-in that is handed over a second time has been used up when it was refreshed in between. */
function precedenceOf({ isSignIn, parts }: Planner, account: Account, present: Account): Precedence {
  const fingerprint = fingerprintOf(account)
  const remembered = isSignIn ? parts.memory.byAccount(present.id) : undefined
  const isUsedUp = fingerprint !== undefined && remembered !== undefined && isSpent(fingerprint, remembered)
  return isSignIn && !isUsedUp ? "found" : "fresher"
}

type Taken = Pick<ImportResult, "outcome" | "accountId" | "label" | "reason">

function take(planner: Planner, draft: AccountDraft, origin: string): Taken {
  const account = accountFromDraft(draft)
  const known = planner.byId.get(account.id) ?? findByRefreshToken(planner, account)
  if (known === undefined) {
    const added: Known = { account, before: undefined, origin, isChanged: true }
    planner.order.push(added)
    index(planner, added)
    return { outcome: "added", accountId: account.id, label: maskLabel(account.label) }
  }
  const merged = mergeAccount(known.account, account, precedenceOf(planner, account, known.account))
  const label = maskLabel((merged ?? known.account).label)
  if (merged === undefined) return { outcome: "unchanged", accountId: known.account.id, label }
  known.account = merged
  known.origin = origin
  if (!known.isChanged) planner.order.push(known)
  known.isChanged = true
  index(planner, known)
  return { outcome: "updated", accountId: merged.id, label }
}

function resultOf(planner: Planner, { name, format }: ReadSource, item: ImportItem): ImportResult {
  const { where } = item
  if ("reason" in item) return { source: name, where, outcome: "refused", reason: item.reason }
  const origin = planner.isSignIn ? SIGN_IN : (format ?? "unknown")
  return { source: name, where, ...take(planner, item.draft, origin) }
}

type Opened = ReadSource & { readonly items: Iterable<ImportItem> }

function openSource({ name, text, fault }: ImportSource, forced: ListFormat | undefined): Opened {
  if (fault !== undefined) return { name, count: 1, items: [{ where: "", reason: fault }] }
  try {
    return { name, ...readImport(text, forced) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // One unreadable source must not hide the results of the others.
    const reason = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
    return { name, count: 1, items: [{ where: "", reason }] }
  }
}

function makePlanner(parts: ImportParts, isSignIn: boolean): Planner {
  const planner: Planner = {
    parts,
    isSignIn,
    byId: new Map(),
    byRefresh: new Map(),
    order: [],
  }
  for (const account of parts.present) {
    index(planner, { account, before: account, origin: "", isChanged: false })
  }
  return planner
}

/**
 * Plans an import; writes nothing. Entries that describe one account (same user and workspace, else same refresh token)
 * become one, the fresher token wins. Rejects with the signal's reason when it aborts.
 */
export async function planImport(
  parts: ImportParts,
  sources: Iterable<ImportSource>,
  { format: forced, isSignIn = false }: ImportWish = {},
): Promise<ImportPlan> {
  const planner = makePlanner(parts, isSignIn)
  const read: ReadSource[] = []
  const results: ImportResult[] = []
  let sliceEndsAtMs = parts.clock() + SLICE_MS
  for (const source of sources) {
    const { items, ...facts } = openSource(source, forced)
    read.push(facts)
    for (const item of items) {
      results.push(resultOf(planner, facts, item))
      if (parts.clock() < sliceEndsAtMs) continue
      await parts.pause()
      parts.signal.throwIfAborted()
      sliceEndsAtMs = parts.clock() + SLICE_MS
    }
  }
  const writes = planner.order.map(({ account, before, origin }) => ({
    account,
    origin,
    ...(before && { rewrites: before }),
  }))
  return { sources: read, results, writes }
}
