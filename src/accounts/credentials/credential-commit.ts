/** Makes rotated credentials durable: store row, account file, and when neither takes them the emergency journal. */

import type { CommitResult } from "#accounts/refresh/refresh-types.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { CancelTimer, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import type { CredentialWrite, WriteCredential } from "./account-file.ts"
import type { CredentialVault, Rotation } from "./credential-vault.ts"
import type { EmergencyJournal } from "./emergency-journal.ts"
import { recoverJournal } from "./recover-journal.ts"

/** What the surroundings are told. `reason` is safe to show. */
export type CommitEvent =
  /** Neither store nor file took the credential. It is in memory and, if `journalled`, in the emergency journal; refreshing stands still. */
  | {
      readonly type: "commit-failed"
      readonly accountId: AccountId
      readonly journalled: boolean
      readonly reason: string
    }
  /** Everything held is durable again; refreshing may go on. */
  | { readonly type: "commit-recovered" }
  /** The store has the credential, the file does not yet. */
  | { readonly type: "file-not-written"; readonly path: string; readonly reason: string }

/** What it is made of. */
export type CredentialCommitParts = {
  readonly vault: Pick<CredentialVault, "commit" | "commitKept" | "rowOf">
  readonly writeFile: WriteCredential
  readonly journal: EmergencyJournal
  readonly timers: Timers
  readonly emit: (event: CommitEvent) => void
}

/** The committer. */
export type CredentialCommit = {
  /** See `RefresherParts.commit`. */
  readonly commit: (rotations: readonly Rotation[]) => Promise<CommitResult>
  /** Writes the account's credential into its file, which still holds the token of `staleFingerprint`. Never rejects. */
  readonly repairFile: (account: Account, staleFingerprint: string) => Promise<void>
  /** At start, before files are read: moves what the journal kept into the store. Returns how many. Throws the store's error. */
  readonly recover: () => number
  /** Tries once more what is unfinished, then stops trying. */
  readonly close: () => Promise<void>
}

/** A rotation and what is still missing of it. */
type Unfinished = {
  readonly rotation: Rotation
  /** Undefined: the account has no file. */
  readonly write: CredentialWrite | undefined
  needsRow: boolean
  needsFile: boolean
}

const RETRY_MS = 1000
/** A file that cannot be written is retried ever more slowly: the store has the credential. */
const LONGEST_RETRY_MS = 60_000

function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return error.message
  return error instanceof Error && "code" in error ? String(error.code) : "unexpected error"
}

function isHeld({ needsRow, needsFile, write }: Unfinished): boolean {
  return needsRow && (needsFile || write === undefined)
}

/** The state of one committer; owned by the closure in `makeCredentialCommit`. */
type CommitState = {
  readonly parts: CredentialCommitParts
  readonly unfinished: Map<AccountId, Unfinished>
  retryMs: number
  cancelRetry: CancelTimer | undefined
}

function tryRows({ parts }: CommitState, items: readonly Unfinished[]): unknown {
  const missing = items.filter(item => item.needsRow)
  if (missing.length === 0) return undefined
  try {
    parts.vault.commit(missing.map(item => item.rotation))
    for (const item of missing) item.needsRow = false
    return undefined
  } catch (error) {
    // Returned, not lost: the caller decides after the file was tried as well.
    return error
  }
}

async function tryFile({ parts }: CommitState, item: Unfinished): Promise<void> {
  const { write } = item
  if (!item.needsFile || write === undefined) return
  try {
    await parts.writeFile(write)
    item.needsFile = false
  } catch (error) {
    parts.emit({ type: "file-not-written", path: write.path, reason: reasonOf(error) })
  }
}

/** Keeps the credentials in the journal; the row form is what `recover` writes to the store. */
function holdInJournal({ parts }: CommitState, items: readonly Unfinished[], cause: unknown): void {
  for (const { rotation } of items) {
    let journalled = true
    try {
      parts.journal.append({ ...parts.vault.rowOf(rotation) })
    } catch {
      // Told in the event; memory still holds the credential and the retry goes on.
      journalled = false
    }
    const accountId = rotation.account.id
    parts.emit({ type: "commit-failed", accountId, journalled, reason: reasonOf(cause) })
  }
}

/** A file that missed an earlier rotation still holds the token of that one. */
function itemOf(state: CommitState, rotation: Rotation): Unfinished {
  const earlier = state.unfinished.get(rotation.account.id)
  const fingerprint = (earlier?.needsFile === true ? earlier.write?.fingerprint : undefined) ?? rotation.fingerprint
  const path = filePathOf(rotation.account)
  const write = path === undefined ? undefined : { path, fingerprint, credential: rotation.credential }
  return { rotation, write, needsRow: true, needsFile: write !== undefined }
}

async function commitAll(state: CommitState, rotations: readonly Rotation[]): Promise<CommitResult> {
  const items = rotations.map(rotation => itemOf(state, rotation))
  const error = tryRows(state, items)
  for (const item of items) await tryFile(state, item)
  for (const item of items) {
    if (item.needsRow || item.needsFile) state.unfinished.set(item.rotation.account.id, item)
    else state.unfinished.delete(item.rotation.account.id)
  }
  const held = items.filter(isHeld)
  if (held.length > 0) holdInJournal(state, held, error)
  if (held.length > 0) state.retryMs = RETRY_MS
  planRetry(state)
  return held.length > 0 ? "held" : "durable"
}

function planRetry(state: CommitState): void {
  if (state.unfinished.size === 0) {
    state.retryMs = RETRY_MS
    return
  }
  state.cancelRetry?.()
  state.cancelRetry = state.parts.timers.after(state.retryMs, () => {
    state.cancelRetry = undefined
    // Never rejects: what fails is told by event and stays unfinished.
    void retry(state)
  })
}

/** Never rejects: both attempts report by event or by staying unfinished. */
async function retry(state: CommitState): Promise<void> {
  const items = [...state.unfinished.values()]
  const wasHeld = items.some(isHeld)
  tryRows(state, items)
  for (const item of items) await tryFile(state, item)
  for (const item of items) {
    const isNewest = state.unfinished.get(item.rotation.account.id) === item
    if (isNewest && !item.needsRow && !item.needsFile) state.unfinished.delete(item.rotation.account.id)
  }
  const isStillHeld = [...state.unfinished.values()].some(isHeld)
  if (wasHeld && !isStillHeld) {
    state.parts.journal.clear()
    state.parts.emit({ type: "commit-recovered" })
  }
  state.retryMs = isStillHeld ? RETRY_MS : Math.min(state.retryMs * 2, LONGEST_RETRY_MS)
  planRetry(state)
}

/** Makes the committer. */
export function makeCredentialCommit(parts: CredentialCommitParts): CredentialCommit {
  const state: CommitState = { parts, unfinished: new Map(), retryMs: RETRY_MS, cancelRetry: undefined }
  return {
    commit: rotations => commitAll(state, rotations),
    repairFile: async (account, staleFingerprint) => {
      const { credential } = account
      const path = filePathOf(account)
      if (path === undefined || credential.type !== "chatgpt" || state.unfinished.has(account.id)) return
      try {
        await parts.writeFile({ path, fingerprint: staleFingerprint, credential })
      } catch (error) {
        parts.emit({ type: "file-not-written", path, reason: reasonOf(error) })
      }
    },
    recover: () => recoverJournal(parts.journal, parts.vault),
    close: async () => {
      state.cancelRetry?.()
      if (state.unfinished.size > 0) await retry(state)
      state.cancelRetry?.()
    },
  }
}
