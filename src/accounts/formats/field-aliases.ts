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

/** Every place of an entry where fields may stand: the entry itself first. */
function placesOf(entry: JsonObject): readonly JsonObject[] {
  const nested = FIELD_HOLDERS.map(name => objectAt(entry, name)).filter(holder => holder !== undefined)
  return [entry, ...nested]
}

/** Finds the first place that has the field with a value other than null or a blank string. */
export function findField(entry: JsonObject, field: FieldName): FieldPlace | undefined {
  for (const holder of placesOf(entry)) {
    for (const key of FIELD_ALIASES[field]) {
      const value = holder[key]
      const blank = typeof value === "string" && value.trim() === ""
      if (value !== undefined && value !== null && !blank) return { holder, key }
    }
  }
  return undefined
}

/** Returns the field's text without surrounding white space, or undefined when it is absent, blank or not text. */
export function textField(entry: JsonObject, field: FieldName): string | undefined {
  const place = findField(entry, field)
  const value = place?.holder[place.key]
  return typeof value === "string" ? value.trim() : undefined
}
