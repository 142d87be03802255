/** A jar as the text that is sealed and stored, and back. */

import { arrayAt, isJsonObject, type JsonObject, numberAt, stringAt } from "#core/json.ts"

import type { Cookie } from "./cookie.ts"

function cookieIn(value: JsonObject): readonly Cookie[] {
  const [name, text, domain, path] = ["name", "value", "domain", "path"].map(key => stringAt(value, key))
  if (name === undefined || text === undefined || domain === undefined || path === undefined) return []
  const expiresAtMs = numberAt(value, "expiresAtMs")
  const flags = { hostOnly: value["hostOnly"] === true, secure: value["secure"] === true }
  return [{ name, value: text, domain, path, ...flags, ...(expiresAtMs !== undefined && { expiresAtMs }) }]
}

/** Turns the cookies into text. */
export function writeJar(cookies: Iterable<Cookie>): string {
  return JSON.stringify({ cookies: [...cookies] })
}

/** Reads the text back; members that are no cookies are left out. */
export function readJar(text: string): readonly Cookie[] {
  const value: unknown = JSON.parse(text)
  const members = isJsonObject(value) ? (arrayAt(value, "cookies") ?? []) : []
  return members.flatMap(member => (isJsonObject(member) ? cookieIn(member) : []))
}
