/** The named sources of a gateway: stamped, loaded and missed together. */

import type { CredentialMemory } from "#accounts/account-from-draft.ts"
import { sha256Hex } from "#accounts/fingerprint.ts"
import {
  type FileStamp,
  inParallel,
  type LoadedFile,
  loadNamedSource,
  stampFile,
} from "#accounts/sources/directory-files.ts"
import type { WatchedFolder } from "#accounts/sources/directory-watch.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"

import { type NamedSource, readSource } from "./named-source.ts"

/** What sources tell besides their accounts. */
export type SourceEvent =
  /** Nothing is there. It is looked for; told again only after it was there. */
  | { readonly type: "source-missing"; readonly path: string; readonly hint: string }
  /** The access token of a borrowed login has run out, and here it is not renewed. */
  | { readonly type: "login-expired"; readonly account: Account }

/** What the set is made of. */
export type SourceSetParts = {
  readonly sources: readonly NamedSource[]
  readonly clock: Clock
  readonly emit: (event: SourceEvent) => void
}

/** The sources. */
export type SourceSet = {
  readonly isEmpty: boolean
  /** True for every named path, also one that is left out: whoever lists a folder leaves it to the set. */
  readonly names: (path: string) => boolean
  /** Stamps of what is there; tells of what is not. */
  readonly stamps: () => Promise<readonly FileStamp[]>
  /** Undefined when nothing is there, or when the path was not named. */
  readonly load: (path: string, memory: CredentialMemory) => Promise<LoadedFile | undefined>
  /** Tells of borrowed logins among the accounts in use that have run out since the last call. */
  readonly noteExpired: (accounts: Iterable<Account>) => void
  readonly folders: readonly WatchedFolder[]
}

/** A text has no modification time: its digest says whether it is another one. */
async function stampSource(source: NamedSource): Promise<FileStamp | undefined> {
  const { path, place } = source
  if (place.type === "text") {
    const text = await readSource(source)
    return text === undefined ? undefined : { path, stamp: sha256Hex(text) }
  }
  try {
    return await stampFile(path)
  } catch {
    // No permission to look: reading it says so, as an account file that cannot be read.
    return { path, stamp: "unreadable" }
  }
}

function foldersOf(sources: readonly NamedSource[]): readonly WatchedFolder[] {
  const names = new Map<string, Set<string>>()
  for (const { place } of sources) {
    if (place.type === "file") names.set(place.folder, (names.get(place.folder) ?? new Set()).add(place.name))
  }
  return [...names].map(([path, only]) => ({ path, only }))
}

/** Makes the set. Of two sources with one path the first counts. */
export function makeSourceSet({ sources, clock, emit }: SourceSetParts): SourceSet {
  const byPath = new Map<string, NamedSource>()
  for (const source of sources) if (!byPath.has(source.path)) byPath.set(source.path, source)
  const inUse = [...byPath.values()].filter(source => source.isLeftOut !== true)
  const missing = new Set<string>()
  const expired = new Map<string, number>()

  const noteMissing = (source: NamedSource, stamp: FileStamp | undefined): void => {
    if (stamp !== undefined) missing.delete(source.path)
    else if (!missing.has(source.path)) {
      missing.add(source.path)
      emit({ type: "source-missing", path: source.path, hint: source.hint() })
    }
  }

  return {
    isEmpty: inUse.length === 0,
    names: path => byPath.has(path),
    stamps: async () => {
      const found = await inParallel(inUse, async source => {
        const stamp = await stampSource(source)
        noteMissing(source, stamp)
        return stamp
      })
      return found.filter(stamp => stamp !== undefined)
    },
    load: async (path, memory) => {
      const source = byPath.get(path)
      return source === undefined || source.isLeftOut === true ? undefined : loadNamedSource(source, memory)
    },
    noteExpired: accounts => {
      for (const account of accounts) {
        const { credential } = account
        if (byPath.get(filePathOf(account) ?? "")?.terms.isBorrowed !== true || credential.type === "api-key") continue
        const { expiresAtMs } = credential
        if (expiresAtMs === undefined || expiresAtMs > clock() || expired.get(account.id) === expiresAtMs) continue
        expired.set(account.id, expiresAtMs)
        emit({ type: "login-expired", account })
      }
    },
    folders: foldersOf(inUse),
  }
}
