/** Accounts named one by one: where the text of an account file is found, and on which terms its accounts are used. */

import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"

import type { ProviderId } from "#core/ids.ts"

/** What holds for the accounts of one source, whatever its text says. */
export type SourceTerms = {
  /** What operators see. */
  readonly label?: string
  /** Name of the way out for everything of these accounts. */
  readonly egress?: string
  /** Where the accounts of a provider are used; an entry's own base URL counts more. */
  readonly baseUrls?: Readonly<Partial<Record<ProviderId, string>>>
  /**
   * Another program renews this login. Its refresh token is never used here, so the account serves while its access
   * token holds; the same account from any other source counts more.
   */
  readonly isBorrowed?: true
}

/** One source. */
export type NamedSource = {
  /** Absolute path; where there is no file, a few words that stand for the place. */
  readonly path: string
  readonly terms: SourceTerms
  /** Not loaded, even if it lies in the watched folder. */
  readonly isLeftOut?: true
  /** Its login was taken over from another program: it is refreshed at once. */
  readonly isTakenOver?: true
  /** Its file, to be looked at and followed; a source without one says by itself when it has changed. */
  readonly place: FilePlace | TextPlace
  /** What an operator does when nothing is there. */
  readonly hint: () => string
}

/** A file that is followed. */
export type FilePlace = { readonly type: "file"; readonly folder: string; readonly name: string }

/** A place that is no file. */
export type TextPlace = {
  readonly type: "text"
  /** The text in the layout of an account file; undefined = nothing there. Never rejects. */
  readonly read: () => Promise<string | undefined>
}

/** What is needed for a source that is a file. */
export type FileSourceParts = Omit<NamedSource, "place" | "hint"> & { readonly hint?: string }

/** Makes a source out of a file. */
export function fileSource({ hint, ...source }: FileSourceParts): NamedSource {
  const advice = hint ?? `Put the account's file there, or correct its path.`
  return {
    ...source,
    place: { type: "file", folder: dirname(source.path), name: basename(source.path) },
    hint: () => advice,
  }
}

/** Returns the source's text; undefined = nothing there. Rejects with the system's error for a file that cannot be read. */
export function readSource({ path, place }: NamedSource): Promise<string | undefined> {
  return place.type === "file" ? readFile(path, "utf8") : place.read()
}
