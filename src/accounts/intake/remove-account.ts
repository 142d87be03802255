/** Takes one account out of its files: the file when it holds nothing else, else its entry. */

import { readFile, rm } from "node:fs/promises"
import { dirname } from "node:path"

import { accountFromDraft } from "#accounts/account-from-draft.ts"
import { replaceFile, syncDirectory } from "#accounts/atomic-write.ts"
import { readFileLayout, withoutByteOrderMark } from "#accounts/formats/file-layout.ts"
import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import { hasLastingIdentity } from "#accounts/identity.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { Json } from "#core/json.ts"

/** What was done to a file. */
export type RemovedFrom = { readonly path: string; readonly what: "file deleted" | "entry removed" | "not found" }

function withoutEntries(text: string, gone: ReadonlySet<number>): string | undefined {
  const layout = readFileLayout(text)
  const isAll = layout.faults.length === 0 && layout.entries.every(entry => gone.has(entry.index))
  if (layout.kind === "object" || isAll) return undefined
  if (layout.kind === "lines") {
    const lines = new Set(layout.entries.flatMap(entry => (gone.has(entry.index) ? [entry.line] : [])))
    return text
      .split("\n")
      .filter((_, line) => !lines.has(line))
      .join("\n")
  }
  // The layout was read from this text as an array.
  const values = JSON.parse(text) as readonly Json[]
  return `${JSON.stringify(
    values.filter((_, index) => !gone.has(index)),
    undefined,
    2,
  )}\n`
}

/**
 * Removes the account from the file at `path`; other accounts and entries that cannot be read stay.
 * Rejects with `internal`, naming the file, when the system does not let it.
 */
export async function removeAccount(account: Account, path: string): Promise<RemovedFrom> {
  try {
    return await takeOut(account, path)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause) || cause instanceof GatewayError) throw cause
    throw new GatewayError("internal", `The account was not deleted: ${path} cannot be changed (${cause.code}).`, {
      hint: "Let Sluice's user write to the file and its folder, or take the account out of use with `sluice accounts archive`.",
      cause,
    })
  }
}

async function takeOut(account: Account, path: string): Promise<RemovedFrom> {
  const text = withoutByteOrderMark(await readFile(path, "utf8"))
  const gone = new Set(
    parseAccountFile(text).drafts.flatMap(draft => {
      const found = accountFromDraft(draft, path)
      // An id made from a refresh token changes with it; then only the place says who it is.
      const { source } = account
      const isHere = source.type === "file" && source.path === path && source.index === draft.index
      const isPlace = isHere && !hasLastingIdentity(found)
      return isPlace || found.id === account.id ? [draft.index] : []
    }),
  )
  if (gone.size === 0) return { path, what: "not found" }
  const next = withoutEntries(text, gone)
  if (next !== undefined) {
    await replaceFile(path, next)
    return { path, what: "entry removed" }
  }
  await rm(path)
  await syncDirectory(dirname(path))
  return { path, what: "file deleted" }
}
