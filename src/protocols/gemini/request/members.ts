/** Members of a Gemini body, in both spellings clients use: `inlineData` and `inline_data`. */

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

/** Returns the member; camelCase wins, null counts as absent. `name` is given in camelCase. */
export function member(object: JsonObject, name: string): Json | undefined {
  return object[name] ?? object[snakeOf(name)] ?? undefined
}

/** Returns the member when it is an object. */
export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = member(object, name)
  return isJsonObject(value) ? value : undefined
}

/** Returns the member when it is a string. */
export function stringMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name)
  return typeof value === "string" ? value : undefined
}

/** Returns the objects of a member that is a list; one object counts as a list of one. */
export function objectsMember(object: JsonObject, name: string): readonly JsonObject[] {
  const value = member(object, name)
  if (isJsonObject(value)) return [value]
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** Returns the strings of a member that is a list. */
export function stringsMember(object: JsonObject, name: string): readonly string[] {
  const value = member(object, name)
  return Array.isArray(value) ? value.filter(item => typeof item === "string") : []
}

/** Returns a number, also one that was written as text, as 64-bit integers are. */
export function numberMember(object: JsonObject, name: string): number | undefined {
  const value = member(object, name)
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
