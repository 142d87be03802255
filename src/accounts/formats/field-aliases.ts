/** The names under which account files keep each field. A new format is mostly a new name in this table. */

import { type JsonObject, objectAt } from "#core/json.ts"

/** Names of each field, preferred first. */
export const FIELD_ALIASES = {
  accessToken: ["access_token"],
  refreshToken: ["refresh_token", "rk"],
  idToken: ["id_token"],
  apiKey: ["api_key", "OPENAI_API_KEY"],
  baseUrl: ["base_url"],
  workspaceId: ["account_id", "chatgpt_account_id"],
  userId: ["chatgpt_user_id", "user_id"],
  email: ["email"],
  plan: ["plan_type", "chatgpt_plan_type"],
  expiresAt: ["expired", "expires_at"],
  lastRefresh: ["last_refresh"],
  disabled: ["disabled"],
  type: ["type"],
  authMode: ["auth_mode"],
} as const satisfies Record<string, readonly string[]>

/** A field by our name. */
export type FieldName = keyof typeof FIELD_ALIASES

/** Where a field stands: the object that holds it and the name it has there. */
export type FieldPlace = { readonly holder: JsonObject; readonly key: string }

/** The objects of an entry in which fields are looked for, in this order. */
export const FIELD_HOLDERS = ["tokens"] as const

/** The first of the field's names that `holder` has with a value other than null or a blank string. */
function findKey(holder: JsonObject, field: FieldName): string | undefined {
  for (const key of FIELD_ALIASES[field]) {
    const value = holder[key]
    if (value === undefined || value === null) continue
    if (typeof value !== "string" || value.trim() !== "") return key
  }
  return undefined
}

/** Finds the first place that has the field with a value: the entry itself, then the objects inside it. */
export function findField(entry: JsonObject, field: FieldName): FieldPlace | undefined {
  const key = findKey(entry, field)
  if (key !== undefined) return { holder: entry, key }
  for (const name of FIELD_HOLDERS) {
    const holder = objectAt(entry, name)
    const inner = holder === undefined ? undefined : findKey(holder, field)
    if (holder !== undefined && inner !== undefined) return { holder, key: inner }
  }
  return undefined
}

/** Returns the field's text without surrounding white space, or undefined when it is absent, blank or not text. */
export function textField(entry: JsonObject, field: FieldName): string | undefined {
  const place = findField(entry, field)
  const value = place?.holder[place.key]
  return typeof value === "string" ? value.trim() : undefined
}
