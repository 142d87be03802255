/** The names under which account files keep each field. A new format is mostly a new name in this table. */

import { type JsonObject, objectAt } from "#core/json.ts"

/** Names of each field, preferred first. `user.id` = the member `id` of the object `user`. */
export const FIELD_ALIASES = {
  accessToken: ["access_token", "accessToken", "token"],
  refreshToken: ["refresh_token", "rk", "refreshToken"],
  idToken: ["id_token", "idToken"],
  apiKey: ["api_key", "OPENAI_API_KEY", "apiKey"],
  baseUrl: ["base_url", "baseUrl", "api_base_url", "apiBaseUrl"],
  workspaceId: ["account_id", "chatgpt_account_id", "accountId", "chatgptAccountId", "account.id"],
  userId: ["chatgpt_user_id", "user_id", "userId", "chatgptUserId", "user.id"],
  email: ["email", "user.email"],
  label: ["label", "name", "alias"],
  plan: ["plan_type", "chatgpt_plan_type", "planType", "account.planType"],
  expiresAt: ["expired", "expires_at", "expiresAt", "expires"],
  lastRefresh: ["last_refresh", "lastRefresh"],
  disabled: ["disabled"],
  authMode: ["auth_mode"],
} as const satisfies Record<string, readonly string[]>

/** A field by our name. */
export type FieldName = keyof typeof FIELD_ALIASES

/** Where a field stands: the object that holds it and the name it has there. */
export type FieldPlace = { readonly holder: JsonObject; readonly key: string }

/** The objects of an entry in which fields are looked for, in this order. */
export const FIELD_HOLDERS = ["tokens", "credentials", "claudeAiOauth"] as const

/** True for a value other than null or a blank string. */
function hasValue(holder: JsonObject, key: string): boolean {
  const value = holder[key]
  if (value === undefined || value === null) return false
  return typeof value !== "string" || value.trim() !== ""
}

/** The first of the field's names that `holder` has with a value, and the object it stands in. */
function findIn(holder: JsonObject, field: FieldName): FieldPlace | undefined {
  for (const name of FIELD_ALIASES[field]) {
    if (hasValue(holder, name)) return { holder, key: name }
    const dot = name.indexOf(".")
    const inner = dot < 0 ? undefined : objectAt(holder, name.slice(0, dot))
    if (inner !== undefined && hasValue(inner, name.slice(dot + 1))) return { holder: inner, key: name.slice(dot + 1) }
  }
  return undefined
}

/** Finds the first place that has the field with a value: the entry itself, then the objects inside it. */
export function findField(entry: JsonObject, field: FieldName): FieldPlace | undefined {
  const own = findIn(entry, field)
  if (own !== undefined) return own
  for (const name of FIELD_HOLDERS) {
    const holder = objectAt(entry, name)
    const place = holder === undefined ? undefined : findIn(holder, field)
    if (place !== undefined) return place
  }
  return undefined
}

/** Returns the field's text without surrounding white space, or undefined when it is absent, blank or not text. */
export function textField(entry: JsonObject, field: FieldName): string | undefined {
  const place = findField(entry, field)
  const value = place?.holder[place.key]
  return typeof value === "string" ? value.trim() : undefined
}
