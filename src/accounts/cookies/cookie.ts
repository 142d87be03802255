/** One cookie: how it is read from `Set-Cookie`, and which requests it goes with (RFC 6265). */

/** A cookie of an account. */
export type Cookie = {
  readonly name: string
  /** As it stood on the wire; nothing is decoded. */
  readonly value: string
  /** Lower case, without a leading dot. */
  readonly domain: string
  /** For this host alone; otherwise for those below it as well. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  /** Milliseconds since the epoch; undefined = until it is replaced or removed: there is no session that could end. */
  readonly expiresAtMs?: number
}

/** What https://www.rfc-editor.org/rfc/rfc6265#section-6.1 asks to be kept of one cookie at least. */
const MAX_COOKIE_BYTES = 4096

/** Tokens of RFC 9110. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Wider than the RFC, as browsers are, but nothing that could end the value or the header. */
const VALUE = /^[\x20-\x3a\x3c-\x7e]*$/
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[.*\])$/

/** Why name and value cannot be a cookie's; undefined when they can. The text quotes neither. */
export function cookieFault({ name, value }: Pick<Cookie, "name" | "value">): string | undefined {
  if (!NAME.test(name)) return "its name has characters that a cookie's name cannot have"
  if (!VALUE.test(value)) return "its value has characters that a cookie's value cannot have"
  return name.length + value.length > MAX_COOKIE_BYTES ? `it is longer than ${MAX_COOKIE_BYTES} bytes` : undefined
}

/** Two cookies with the same key are one: the later replaces the earlier. */
export function cookieKey({ name, domain, path }: Cookie): string {
  return `${name};${domain};${path}`
}

/** True once the cookie's time is over. */
export function isExpired({ expiresAtMs }: Cookie, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs
}

/** A domain as it is kept. */
export function tidyDomain(domain: string): string {
  return domain.trim().toLowerCase().replace(/^\./, "")
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !IP_ADDRESS.test(host))
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/"
}

function goesWith(cookie: Cookie, url: URL, nowMs: number): boolean {
  const isDomain = cookie.hostOnly ? url.hostname === cookie.domain : isBelow(url.hostname, cookie.domain)
  const isSafe = !cookie.secure || url.protocol === "https:"
  return isDomain && isSafe && isUnder(url.pathname, cookie.path) && !isExpired(cookie, nowMs)
}

/** The `Cookie` header of a request; undefined when none of the cookies goes with it. Longer paths stand first. */
export function cookieHeader(cookies: Iterable<Cookie>, url: URL, nowMs: number): string | undefined {
  const fitting = [...cookies].filter(cookie => goesWith(cookie, url, nowMs))
  if (fitting.length === 0) return undefined
  fitting.sort((left, right) => right.path.length - left.path.length)
  return fitting.map(({ name, value }) => `${name}=${value}`).join("; ")
}

/** A host may speak for itself and the domains above it, but not for a whole top-level domain. */
function maySet(url: URL, domain: string): boolean {
  return isBelow(url.hostname, domain) && (domain === url.hostname || domain.includes("."))
}

/** https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis-20#name-cookie-name-prefixes. */
function keepsItsPrefix({ name, secure, hostOnly, path }: Cookie): boolean {
  if (name.startsWith("__Host-")) return secure && hostOnly && path === "/"
  return !name.startsWith("__Secure-") || secure
}

function parse(line: string): Bun.Cookie | undefined {
  try {
    return Bun.Cookie.parse(line)
  } catch {
    // A line nobody can read sets nothing; browsers pass it over as well.
    return undefined
  }
}

function expiryOf({ maxAge, expires }: Bun.Cookie, nowMs: number): { readonly expiresAtMs?: number } {
  if (maxAge !== undefined) return { expiresAtMs: nowMs + maxAge * 1000 }
  const expiresAtMs = expires === undefined ? Number.NaN : new Date(expires).getTime()
  return Number.isNaN(expiresAtMs) ? {} : { expiresAtMs }
}

/** Reads one `Set-Cookie` line of an answer from `url`; undefined for what it may not or cannot set. */
export function readSetCookie(line: string, url: URL, nowMs: number): Cookie | undefined {
  const parsed = parse(line)
  if (parsed === undefined || cookieFault(parsed) !== undefined) return undefined
  const given = tidyDomain(parsed.domain ?? "")
  const domain = given === "" ? url.hostname : given
  const { name, value, path, secure } = parsed
  const cookie: Cookie = { name, value, domain, hostOnly: given === "", path, secure, ...expiryOf(parsed, nowMs) }
  const isAllowed = maySet(url, domain) && keepsItsPrefix(cookie) && (!secure || url.protocol === "https:")
  return isAllowed ? cookie : undefined
}
