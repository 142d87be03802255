/** Hands a signed-in account to the gateway that runs, or puts it into its data folder; never to a file of its own. */

import type { NewAccount } from "#accounts/sign-in/account-of-tokens.ts"
import type { AdminClient } from "#cli/admin/admin-client.ts"
import { type AdminWish, openAdmin } from "#cli/admin/open-admin.ts"
import { maskLabel } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { ImportReport } from "#gateway/desk/intake.ts"

/** What became of the account. */
export type SavedAccount = {
  readonly id: string
  /** Masked. */
  readonly label: string
  readonly plan: string | null
  /** Whom it was handed to, for people. */
  readonly where: string
  /** The file of `auth-dir` it lives in; null = the database. */
  readonly file: string | null
  readonly change: "added" | "replaced" | "restored"
  readonly isPaused: boolean
  readonly canRefresh: boolean
}

/** The sign-in cannot be repeated without its owner, so another command that is at work is waited for. */
const SAVE_PATIENCE_MS = 30_000

/** Finds out before anybody is sent to a sign-in page whether the account could be saved. Rejects with what stands in the way. */
export async function checkSaving(wish: AdminWish): Promise<void> {
  const client = await openAdmin(wish)
  await client.close()
}

/** Saves it. The way is opened anew: while somebody signs in, the gateway may be started or stopped. */
export async function saveLogin(wish: AdminWish, added: NewAccount): Promise<SavedAccount> {
  const client = await openAdmin({ ...wish, patienceMs: SAVE_PATIENCE_MS })
  try {
    return await save(client, added)
  } finally {
    await client.close()
  }
}

async function save(client: AdminClient, { account, text }: NewAccount): Promise<SavedAccount> {
  const form = new FormData()
  form.set("file", new File([text], "sign-in"))
  form.set("format", "flat")
  form.set("origin", "sign-in")
  const { results } = await client.import(form, () => {})
  const [result] = results
  if (result?.account_id === undefined || result.outcome === "refused") throw refused(result)
  const { credential } = account
  return {
    ...factsOf(await client.show(result.account_id)),
    where: client.where,
    change: result.restored === true ? "restored" : result.outcome === "added" ? "added" : "replaced",
    canRefresh: credential.refreshToken !== undefined,
  }
}

function factsOf({ id, label, plan, source, enabled }: AccountReport) {
  return { id, label: maskLabel(label), plan, file: source.file, isPaused: !enabled }
}

function refused(result: ImportReport["results"][number] | undefined): GatewayError {
  return new GatewayError("internal", `The account was not saved: ${result?.reason ?? "no reason was given"}.`, {
    hint: "Put that right, then start the sign-in again.",
  })
}
