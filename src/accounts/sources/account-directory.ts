/** A directory of account files and the sources named beside it, loaded and followed while the program runs. */

import type { CredentialMemory } from "#accounts/account-from-draft.ts"
import type { NamedSource } from "#accounts/elsewhere/named-source.ts"
import { makeSourceSet, type SourceEvent, type SourceSet } from "#accounts/elsewhere/source-set.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { type GatewayError, toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { compareRosters, composeRoster, type Duplicate, type Roster, type RosterChange } from "./account-roster.ts"
import {
  type FileStamp,
  inParallel,
  type LoadedFile,
  loadAccountFile,
  type ReadFile,
  stampAccountFiles,
} from "./directory-files.ts"
import { watchDirectories } from "./directory-watch.ts"
import { firstLook } from "./first-look.ts"

/** What a directory tells. Reasons name places and fields, never values. */
export type DirectoryEvent =
  | RosterChange
  | SourceEvent
  /** The file, or `reasons` of its entries, could not be read. What was loaded from it before keeps serving. */
  | { readonly type: "file-broken"; readonly path: string; readonly reasons: readonly string[] }
  | { readonly type: "file-repaired"; readonly path: string }
  | ({ readonly type: "account-duplicated" } & Duplicate)
  /** The store has a newer credential than the file, whose refresh token has the fingerprint `staleFingerprint`. */
  | { readonly type: "file-behind"; readonly account: Account; readonly staleFingerprint: string }
  /** Accounts that were loaded keep serving; the directory is looked for until it appears. Not told where sources are named. */
  | { readonly type: "directory-missing"; readonly path: string; readonly hint: string }
  /** The directory could not be listed this time. */
  | { readonly type: "directory-failed"; readonly path: string; readonly error: GatewayError }

/** What is wrong in a directory now. Reasons name places and fields, never values. */
export type DirectoryTrouble = {
  readonly broken: readonly { readonly path: string; readonly reasons: readonly string[] }[]
  readonly duplicates: readonly Duplicate[]
}

/** What a directory is made of. */
export type AccountDirectoryParts = {
  readonly path: string
  /** Accounts from elsewhere, or files of the directory that are used on terms of their own. */
  readonly sources?: readonly NamedSource[]
  readonly clock: Clock
  readonly timers: Timers
  readonly memory: CredentialMemory
  readonly emit: (event: DirectoryEvent) => void
  /** Default 100 ms. */
  readonly gatherMs?: number
  /** Default 10 s. */
  readonly rescanMs?: number
}

/** A followed directory. */
export type AccountDirectory = {
  /** Loads everything (an `account-added` for each account), then follows changes. */
  readonly start: () => Promise<void>
  readonly accounts: () => readonly Account[]
  /** Every file of the directory the account is in, and every place elsewhere. */
  readonly placesOf: (id: AccountId) => { readonly files: readonly string[]; readonly elsewhere: readonly string[] }
  /** Looks at every file's stamp now and reads those that changed. */
  readonly rescan: () => Promise<void>
  /** Reads one account's file again whatever its stamp; undefined when the account is gone. Never rejects. */
  readonly reload: (account: Account) => Promise<Account | undefined>
  readonly trouble: () => DirectoryTrouble
  readonly close: () => void
}

/** What is known of one file. `tries` counts reads of the same broken content. */
type KnownFile = {
  readonly stamp: string
  readonly loaded: LoadedFile
  readonly tries: number
  readonly isReported: boolean
}

/** State of one directory; owned by the closure in `makeAccountDirectory`. */
type DirectoryState = {
  readonly parts: AccountDirectoryParts
  readonly sources: SourceSet
  readonly files: Map<string, KnownFile>
  roster: Roster
  isMissing: boolean
  isClosed: boolean
}

/** A broken file is read this often before it is reported: it may be half written. */
const TRIES = 3
const RETRY_MS = 250

/** Keeps the accounts of entries that broke: the last good version serves until the entry or file is gone. */
function keepLastGood(loaded: LoadedFile, before: LoadedFile | undefined): LoadedFile {
  if (loaded.faults.length === 0 || before === undefined) return loaded
  const present = new Set(loaded.resolved.map(({ account }) => account.id))
  const kept = before.resolved.filter(({ account }) => !present.has(account.id))
  return { ...loaded, resolved: [...loaded.resolved, ...kept] }
}

function reasonsOf({ faults }: LoadedFile): readonly string[] {
  return faults.map(fault => fault.reason)
}

/** Takes one read of a file into the state and reports what is new about its health. */
function admit(state: DirectoryState, { path, stamp }: FileStamp, read: LoadedFile): void {
  const { emit } = state.parts
  const before = state.files.get(path)
  const loaded = keepLastGood(read, before?.loaded)
  const isBroken = read.faults.length > 0
  const tries = isBroken ? (before?.stamp === stamp ? before.tries : 0) + 1 : 0
  const isReported = isBroken && (tries >= TRIES || (before?.isReported === true && before.stamp === stamp))
  if (isReported && !(before?.isReported === true && before.stamp === stamp)) {
    emit({ type: "file-broken", path, reasons: reasonsOf(read) })
  }
  if (!isBroken && before?.isReported === true) emit({ type: "file-repaired", path })
  state.files.set(path, { stamp, loaded, tries, isReported })
}

function announceStale(state: DirectoryState, { resolved }: LoadedFile): void {
  for (const { account, staleFingerprint } of resolved) {
    if (staleFingerprint !== undefined) state.parts.emit({ type: "file-behind", account, staleFingerprint })
  }
}

function duplicateKey({ accountId, path, servedFrom }: Duplicate): string {
  return `${accountId}\n${path}\n${servedFrom}`
}

function compose({ files }: DirectoryState): Roster {
  return composeRoster([...files.values()].map(file => file.loaded).sort((a, b) => (a.path < b.path ? -1 : 1)))
}

/** Adds the files up and tells the differences. */
function publish(state: DirectoryState): void {
  const before = state.roster
  state.roster = compose(state)
  for (const change of compareRosters(before.accounts, state.roster.accounts)) state.parts.emit(change)
  const known = new Set(before.duplicates.map(duplicateKey))
  for (const duplicate of state.roster.duplicates) {
    if (!known.has(duplicateKey(duplicate))) state.parts.emit({ type: "account-duplicated", ...duplicate })
  }
}

/** Takes what was read into the state and tells what is new in it. */
function take(state: DirectoryState, read: readonly ReadFile[]): void {
  for (const { stamp, loaded } of read) {
    if (loaded === undefined) state.files.delete(stamp.path)
    else admit(state, stamp, loaded)
  }
  publish(state)
  for (const { loaded } of read) if (loaded !== undefined) announceStale(state, loaded)
  state.sources.noteExpired(state.roster.accounts.values())
}

function noteMissing(state: DirectoryState): void {
  // Whoever names sources need not have a folder as well.
  if (state.isMissing || !state.sources.isEmpty) return
  state.isMissing = true
  const { path, emit } = state.parts
  const hint = `Create ${path} and put one JSON file per account into it, or point auth-dir elsewhere.`
  emit({ type: "directory-missing", path, hint })
}

/** A file is due when its content may be new, or when it was broken and not reported yet. */
function isDue(state: DirectoryState, { path, stamp }: FileStamp): boolean {
  const known = state.files.get(path)
  if (known === undefined || known.stamp !== stamp) return true
  return known.tries > 0 && !known.isReported
}

async function readAll(state: DirectoryState, stamps: readonly FileStamp[]): Promise<readonly ReadFile[]> {
  return inParallel(stamps, async stamp => ({ stamp, loaded: await load(state, stamp.path) }))
}

/** The look at start: everything is new. */
async function scanFirst(state: DirectoryState): Promise<void> {
  const { sources, parts } = state
  const read = await firstLook({ ...parts, isLeftOut: sources.names })
  const named = await readAll(state, await sources.stamps())
  if (state.isClosed) return
  if (read === undefined) noteMissing(state)
  take(state, [...(read ?? []), ...named])
}

/** One look at everything. */
async function scan(state: DirectoryState): Promise<void> {
  const { sources, parts } = state
  const found = await stampAccountFiles(parts.path)
  const named = await sources.stamps()
  if (state.isClosed) return
  if (found === undefined) noteMissing(state)
  else state.isMissing = false
  const stamps = [...(found ?? []).filter(stamp => !sources.names(stamp.path)), ...named]
  forgetGone(state, new Set(stamps.map(stamp => stamp.path)), found === undefined)
  const due = stamps.filter(stamp => isDue(state, stamp))
  take(state, await readAll(state, due))
}

/** Forgets files that are no longer there. Files of a folder that is away as a whole are not gone. */
function forgetGone({ files, sources }: DirectoryState, present: ReadonlySet<string>, isFolderAway: boolean): void {
  for (const path of files.keys()) {
    if (!present.has(path) && (sources.names(path) || !isFolderAway)) files.delete(path)
  }
}

/** Reads one file, or one named source, on its terms. */
function load({ sources, parts }: DirectoryState, path: string): Promise<LoadedFile | undefined> {
  return sources.names(path) ? sources.load(path, parts.memory) : loadAccountFile(path, parts.memory)
}

async function reload(state: DirectoryState, account: Account): Promise<Account | undefined> {
  const path = filePathOf(account)
  if (path === undefined) return state.roster.accounts.get(account.id)
  const known = state.files.get(path)
  const read = await load(state, path)
  if (read === undefined) state.files.delete(path)
  else if (read.faults.length === 0) admit(state, { path, stamp: known?.stamp ?? "" }, read)
  publish(state)
  return state.roster.accounts.get(account.id)
}

function placesOf({ files, sources }: DirectoryState, id: AccountId): ReturnType<AccountDirectory["placesOf"]> {
  const holders = [...files.values()].filter(({ loaded }) => loaded.resolved.some(({ account }) => account.id === id))
  const paths = holders.map(({ loaded }) => loaded.path)
  return { files: paths.filter(path => !sources.names(path)), elsewhere: paths.filter(sources.names) }
}

function troubleIn({ files, roster }: DirectoryState): DirectoryTrouble {
  const broken = [...files.values()].filter(({ loaded }) => loaded.faults.length > 0)
  return {
    broken: broken.map(({ loaded }) => ({ path: loaded.path, reasons: reasonsOf(loaded) })),
    duplicates: roster.duplicates,
  }
}

function hasUnsettled(state: DirectoryState): boolean {
  for (const file of state.files.values()) if (file.tries > 0 && !file.isReported) return true
  return false
}

/** Makes a directory; nothing happens before `start`. */
export function makeAccountDirectory(parts: AccountDirectoryParts): AccountDirectory {
  const { path, timers, gatherMs = 100, rescanMs = 10_000, emit } = parts
  const sources = makeSourceSet({ ...parts, sources: parts.sources ?? [] })
  const state: DirectoryState = {
    parts,
    sources,
    files: new Map(),
    roster: { accounts: new Map(), duplicates: [] },
    isMissing: false,
    isClosed: false,
  }
  // One look after the other: two at once could admit an older read after a newer one.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const run = last.then(work)
    last = run.catch(() => undefined)
    return run
  }
  const lookBy = async (way: typeof scan): Promise<void> => {
    try {
      await inTurn(() => way(state))
    } catch (error) {
      emit({ type: "directory-failed", path, error: toGatewayError(error) })
    }
    if (state.isClosed) return
    watching?.attach()
    if (hasUnsettled(state)) timers.after(RETRY_MS, look)
  }
  const rescan = (): Promise<void> => lookBy(scan)
  const look = (): void => {
    // Never rejects: a directory that cannot be listed is an event.
    void rescan()
  }
  let watching: ReturnType<typeof watchDirectories> | undefined
  const folders = [{ path }, ...sources.folders.filter(folder => folder.path !== path)]
  return {
    start: async () => {
      watching = watchDirectories({ folders, timers, gatherMs, rescanMs, look })
      watching.attach()
      await lookBy(scanFirst)
    },
    accounts: () => [...state.roster.accounts.values()],
    placesOf: id => placesOf(state, id),
    rescan,
    reload: account => inTurn(() => reload(state, account)),
    trouble: () => troubleIn(state),
    close: () => {
      state.isClosed = true
      watching?.close()
    },
  }
}
