/** Where the accounts of a crash run live: a third in files, a third in the database, a third came in as bare refresh tokens. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { AccountId } from "#core/ids.ts"
import type { AccountFile } from "#simulator/accounts/account-files.ts"

import { bareIdOf } from "./audit.ts"

/** `bare`: in the database, and until its first refresh nobody knows whose it is. */
export type AccountKind = "file" | "stored" | "bare"

/** By turns of three accounts, so that each kind has as many with short-lived access tokens. */
const KINDS = ["file", "stored", "bare"] as const

/** The kind of the account of this simulator name. */
export function kindOf(name: string): AccountKind {
  const number = Number(name.slice("account-".length))
  return KINDS[Math.floor((number - 1) / KINDS.length) % KINDS.length] ?? "file"
}

/** The file of an account in the directory of account files. */
export function accountPath(authDir: string, name: string): string {
  return join(authDir, `simulated-${name}.json`)
}

/** What populating needs; `importer` runs `sluice accounts import` with these arguments. */
export type PopulateParts = {
  readonly names: readonly string[]
  /** Holds a file for every account. */
  readonly authDir: string
  /** Gets the lists to import. */
  readonly lists: string
  readonly importer: (args: readonly string[]) => Promise<void>
}

/** Moves two thirds of the accounts from their files into the database. Returns names of bare tokens' accounts by their first id. */
export async function populate({ names, authDir, lists, importer }: PopulateParts): Promise<Map<AccountId, string>> {
  const take = (kind: AccountKind) =>
    names
      .filter(name => kindOf(name) === kind)
      .map(name => {
        const path = accountPath(authDir, name)
        const text = readFileSync(path, "utf8")
        rmSync(path)
        // Written by the simulator.
        return { name, file: JSON.parse(text) as AccountFile }
      })
  mkdirSync(lists)
  const stored = join(lists, "stored.ndjson")
  writeFileSync(
    stored,
    take("stored")
      .map(({ file }) => JSON.stringify(file))
      .join("\n"),
  )
  const bare = take("bare").map(({ name, file }) => ({ name, token: file.refresh_token }))
  const tokens = join(lists, "bare.txt")
  writeFileSync(tokens, bare.map(({ token }) => token).join("\n"))
  await importer([stored])
  await importer([tokens, "--format", "refresh-tokens"])
  return new Map(bare.map(({ name, token }) => [bareIdOf(token), name]))
}
