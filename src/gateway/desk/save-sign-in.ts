/** The end of a sign-in: its tokens become an account that serves. */

import { GatewayError } from "#core/errors.ts"

import type { AccountReport } from "./account-report.ts"
import type { ImportOrder, ImportReport } from "./intake.ts"

/** What saving is done with. */
export type SaveSignInParts = {
  readonly importTexts: (order: ImportOrder) => Promise<ImportReport>
  readonly rescan: () => Promise<void>
  readonly show: (targets: readonly string[]) => readonly AccountReport[]
}

/** Nobody stops it half-way: the code is spent, and these tokens are all there is of it. */
const NEVER = new AbortController().signal

/** Saves the account of an entry in the flat layout. Rejects with `internal` and the reason when it cannot be. */
export async function saveSignIn(text: string, parts: SaveSignInParts): Promise<AccountReport> {
  const sources = [{ name: "sign-in", text }]
  const { results } = await parts.importTexts({ sources, format: "flat", isSignIn: true, signal: NEVER })
  const [result] = results
  // One that lives in a file was brought up to date there; it serves with its new credential once the file is read.
  if (result?.outcome === "updated") await parts.rescan()
  const [account] = result?.account_id === undefined ? [] : parts.show([result.account_id])
  if (account !== undefined && result?.outcome !== "refused") return account
  throw new GatewayError("internal", `The account could not be saved: ${result?.reason ?? "nothing was read"}.`, {
    code: "not_saved",
    hint: "Remove what stands in the way and start the sign-in again; the code that was entered is used up.",
  })
}
