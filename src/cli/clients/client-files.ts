/** Reads the files of clients: whole, as text, with a name in every complaint. */

import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"

import type { ClientPlace, FileChange, Finding } from "./client.ts"
import { type Format, type Setting, withSettings } from "./formats/format.ts"

/** Returns the bytes as text; undefined when there is no file. Rejects for what is no text, a folder or not to be read. */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readBytes(path)
  if (bytes === undefined) return undefined
  try {
    // A byte order mark stays, or the file would be changed by writing it back.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new GatewayError("invalid-request", `${path} is no text in UTF-8.`, { hint: LEFT_ALONE, cause })
  }
}

const LEFT_ALONE = "Nothing was changed. Mend the file or move it away, then run this again."

/** As {@link readText}, before decoding. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
    if (code === "ENOENT" || code === "ENOTDIR") return undefined
    throw new GatewayError("invalid-request", `${path} cannot be read (${code}).`, {
      hint: "Run this as the user whose file it is.",
      cause,
    })
  }
}

/** Parses the text of `path`; a broken one is named with its line. */
export function parseFile(path: string, text: string, read: (text: string) => JsonObject): JsonObject {
  try {
    return read(text)
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    throw new GatewayError("invalid-request", `${path}, ${cause.message}`, { hint: LEFT_ALONE, cause })
  }
}

/** What a file of a client says. */
export type FileReading = {
  readonly path: string
  readonly exists: boolean
  readonly content: JsonObject
  /** The file is broken. */
  readonly findings: readonly Finding[]
}

/** Reads and parses; a broken file is a finding and says nothing. */
export async function readClientFile(path: string, read: (text: string) => JsonObject): Promise<FileReading> {
  try {
    const text = await readText(path)
    if (text === undefined) return { path, exists: false, content: {}, findings: [] }
    return { path, exists: true, content: parseFile(path, text, read), findings: [] }
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    const finding: Finding = {
      status: "problem",
      text: cause.message,
      fix: `mend ${path}; the client cannot read it either`,
    }
    return { path, exists: true, content: {}, findings: [finding] }
  }
}

/** The folder a variable names, else the one below the home; a home from the command line leaves variables aside. */
export function clientFolder(place: ClientPlace, variable: string, ...below: readonly string[]): string {
  const named = place.homeGiven ? undefined : place.env[variable]
  return named === undefined || named === "" ? join(place.home, ...below) : named
}

/** The change that puts single values into a file. */
export function settingsChange(path: string, format: Format, settings: readonly Setting[]): FileChange {
  return {
    path,
    read: format.read,
    edit: text => format.put(text, settings),
    expect: before => withSettings(before, settings),
  }
}

/** The folder and all above it, the nearest first. */
export function foldersUpwards(start: string): readonly string[] {
  const folders = [start]
  for (let folder = start; dirname(folder) !== folder; ) {
    folder = dirname(folder)
    folders.push(folder)
  }
  return folders
}
