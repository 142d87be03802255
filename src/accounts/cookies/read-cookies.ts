/** Cookies as people hand them in: a `Cookie` header, `Set-Cookie` lines, names with values, a browser's export. */

import { readFileTime } from "#accounts/formats/file-time.ts"
import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

import { type Cookie, cookieFault, readSetCookie, tidyDomain } from "./cookie.ts"

/** The upstream the cookies are for when they do not say it themselves, and the time. */
export type CookiePlace = { readonly url: URL; readonly nowMs: number }

function refuse(where: string, reason: string): GatewayError {
  return new GatewayError("invalid-request", `${where}: ${reason}. Nothing was changed.`, {
    code: "invalid_cookie",
    hint: 'Send `{"cookies": "name=value; name=value"}`, or objects with `name`, `value`, `domain`, `path`, `secure` and `expires`.',
  })
}

function plainCookie(name: string, value: string, { url }: CookiePlace): Cookie {
  return { name, value, domain: url.hostname, hostOnly: true, path: "/", secure: url.protocol === "https:" }
}

/** `a=1; b=2`, as in a request. */
function fromHeader(header: string, place: CookiePlace): readonly Cookie[] {
  const pieces = header.split(";").map(piece => piece.trim())
  return pieces
    .filter(piece => piece !== "")
    .map((piece, index) => {
      const at = piece.indexOf("=")
      if (at < 1) throw refuse(`cookie ${index + 1}`, "it has no name")
      return plainCookie(piece.slice(0, at).trim(), piece.slice(at + 1).trim(), place)
    })
}

/** Browsers' extensions export `expirationDate`, `hostOnly` and a domain with a dot in front. */
function fromObject(entry: JsonObject, where: string, place: CookiePlace): Cookie {
  const name = stringAt(entry, "name")
  const value = stringAt(entry, "value")
  if (name === undefined || value === undefined) throw refuse(where, "it needs `name` and `value`")
  const given = stringAt(entry, "domain") ?? ""
  const domain = tidyDomain(given) || place.url.hostname
  const path = stringAt(entry, "path") ?? "/"
  if (!path.startsWith("/")) throw refuse(where, "`path` begins with a slash")
  const secure = typeof entry["secure"] === "boolean" ? entry["secure"] : place.url.protocol === "https:"
  const hostOnly = typeof entry["hostOnly"] === "boolean" ? entry["hostOnly"] : given === ""
  const time = entry["expires_at"] ?? entry["expires"] ?? entry["expirationDate"] ?? ""
  // Exports write 0, -1 or nothing for cookies that end with a session.
  const expiresAtMs = readFileTime(time)
  if (typeof time === "string" && time !== "" && expiresAtMs === undefined) throw refuse(where, "`expires` is no time")
  return { name, value, domain, hostOnly, path, secure, ...(expiresAtMs !== undefined && { expiresAtMs }) }
}

function fromEntry(entry: Json, where: string, place: CookiePlace): Cookie {
  if (isJsonObject(entry)) return fromObject(entry, where, place)
  if (typeof entry !== "string") throw refuse(where, "it is neither an object nor a `Set-Cookie` line")
  const cookie = readSetCookie(entry, place.url, place.nowMs)
  if (cookie === undefined) throw refuse(where, `it is no \`Set-Cookie\` line that ${place.url.hostname} may send`)
  return cookie
}

function read(wish: Json, place: CookiePlace): readonly Cookie[] {
  if (typeof wish === "string") return fromHeader(wish, place)
  if (Array.isArray(wish)) return wish.map((entry, index) => fromEntry(entry, `cookie ${index + 1}`, place))
  if (!isJsonObject(wish)) throw refuse("cookies", "they are a text, a list, or names with values")
  return Object.entries(wish).map(([name, value], index) => {
    if (typeof value !== "string") throw refuse(`cookie ${index + 1}`, "its value is not text")
    return plainCookie(name, value, place)
  })
}

/** Reads them. Throws `invalid-request` naming the first that cannot be one, without quoting it. */
export function readCookies(wish: Json, place: CookiePlace): readonly Cookie[] {
  const cookies = read(wish, place)
  cookies.forEach((cookie, index) => {
    const fault = cookieFault(cookie)
    if (fault !== undefined) throw refuse(`cookie ${index + 1}`, fault)
  })
  return cookies
}
