/** The texts of an import: files, folders and standard input, as they are. */

import { readdir, readFile, stat } from "node:fs/promises"
import { basename, join, resolve } from "node:path"

import type { CommandIo } from "#cli/command.ts"
import { GatewayError } from "#core/errors.ts"
import { MAX_IMPORT_BYTES } from "#http/admin/read-import.ts"

import { orCancelled } from "./or-cancelled.ts"

type Piece = { readonly name: string; readonly content: string | Uint8Array<ArrayBuffer> }

function unreadable(name: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected content"
  return new GatewayError("invalid-request", `${name} cannot be read (${code}).`, { cause })
}

async function readOne(path: string, name: string): Promise<Piece> {
  try {
    const { size } = await stat(path)
    if (size <= MAX_IMPORT_BYTES) return { name, content: new Uint8Array(await readFile(path)) }
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw new GatewayError("invalid-request", `${path} is larger than ${MAX_IMPORT_BYTES / 1024 / 1024} MiB.`, {
    hint: "Is it really a list of accounts? If so, cut it into several files.",
  })
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const found = await readdir(path, { withFileTypes: true })
    const names = found.filter(one => one.isFile() && /^[^.].*\.(json|jsonl|ndjson|txt)$/i.test(one.name))
    return names.map(one => join(path, one.name)).sort()
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Two files may have one name in different folders; then the whole path tells them apart. */
function nameIn(paths: readonly string[], path: string): string {
  const name = basename(path)
  return paths.filter(other => basename(other) === name).length > 1 ? path : name
}

/** Reads what the names mean; `-` is standard input. Throws `invalid-request` naming what cannot be read. */
export async function readFiles(names: readonly string[], io: CommandIo): Promise<FormData> {
  const listed = await Promise.all(names.filter(name => name !== "-").map(name => filesAt(resolve(io.cwd, name))))
  const paths = [...new Set(listed.flat())]
  const pieces: Piece[] = []
  if (names.includes("-"))
    pieces.push({ name: "standard input", content: await orCancelled(io.stdin.text(), io.signal) })
  for (const path of paths) pieces.push(await readOne(path, nameIn(paths, path)))
  if (pieces.length === 0) {
    throw new GatewayError("invalid-request", "There is nothing to read.", {
      hint: "Of a folder, the files that end in .json, .jsonl, .ndjson and .txt are read.",
    })
  }
  const form = new FormData()
  for (const { name, content } of pieces) form.append("file", new File([content], name))
  return form
}
