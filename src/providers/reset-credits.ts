/** Banked resets of ChatGPT accounts: how they are asked for and spent, and how the answers read. */

import { arrayAt, isJsonObject, type JsonObject, numberAt, stringAt } from "#core/json.ts"
import type { Redemption, ResetCredit } from "#core/upstream.ts"

/** Reads the list; entries without an id are skipped, something else than a list is empty. */
export function readResetCredits(json: unknown): readonly ResetCredit[] {
  const entries = isJsonObject(json) ? (arrayAt(json, "credits") ?? []) : []
  return entries.filter(isJsonObject).flatMap(readCredit)
}

function readCredit(entry: JsonObject): readonly ResetCredit[] {
  const id = stringAt(entry, "id")
  if (id === undefined) return []
  return [
    {
      id,
      type: stringAt(entry, "reset_type"),
      status: stringAt(entry, "status") ?? "unknown",
      grantedAt: stringAt(entry, "granted_at"),
      expiresAt: stringAt(entry, "expires_at"),
      title: stringAt(entry, "title"),
      description: stringAt(entry, "description"),
    },
  ]
}

const CODES: ReadonlySet<string> = new Set<Redemption["code"]>([
  "reset",
  "nothing_to_reset",
  "no_credit",
  "already_redeemed",
])

function isCode(text: string | undefined): text is Redemption["code"] {
  return text !== undefined && CODES.has(text)
}

/** Reads the answer to a redemption; undefined for one that says nothing we know. */
export function readRedemption(json: unknown): Redemption | undefined {
  if (!isJsonObject(json)) return undefined
  const code = stringAt(json, "code")
  return isCode(code) ? { code, windowsReset: numberAt(json, "windows_reset") ?? 0 } : undefined
}
