/** Addresses of proxies as people write them, as they are kept, and as they may be shown. */

import { GatewayError } from "#core/errors.ts"
import { parseEgress } from "#transport/egress.ts"

/** What an address is made of, decoded. */
export type ProxyAddress = {
  readonly scheme: string
  /** With the port, as it stands in the address. */
  readonly host: string
  readonly user: string
  readonly password: string
}

/** How a password is shown that nobody has asked for. */
const MASK = "***"

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is
const HOST_PORT = /^(\[[0-9a-f:.]+\]|[^:@\s/]+):(\d{1,5})(?::(.*))?$/is

const HOST_AT_END = /@(\[[0-9a-f:.]+\]|[^:@\s/?#]+):\d{1,5}\/?$/i

function refuse(message: string, hint: string): GatewayError {
  return new GatewayError("invalid-request", message, { code: "proxy_unusable", hint })
}

const SHAPES = "Write it as http://user:password@host:port or as host:port:user:password."

/** Percent-encoding is taken as such where it is whole; anything else is what it looks like. */
function decoded(text: string): string {
  if (!/%/.test(text) || /%(?![0-9a-f]{2})/i.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    // No UTF-8 behind the signs: then they were meant as they stand.
    return text
  }
}

/** The part before the first colon, and the rest; a password may hold colons. */
function splitLogin(text: string): readonly [user: string, password: string] {
  const colon = text.indexOf(":")
  return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** `host:port` and perhaps `:user:password` behind it, which stand as they are and are never decoded. */
function readColons(scheme: string, text: string): ProxyAddress | undefined {
  const [whole, host, port, login] = HOST_PORT.exec(text) ?? []
  if (whole === undefined || host === undefined || port === undefined) return undefined
  const [user, password] = login === undefined ? ["", ""] : splitLogin(login)
  return { scheme, host: `${host}:${port}`, user, password }
}

/** `user:password@host:port`; the last `@` counts, because a password may hold others. */
function readLogin(scheme: string, text: string): ProxyAddress | undefined {
  const at = text.lastIndexOf("@")
  const host = text.slice(at + 1).replace(/\/$/, "")
  if (host === "" || /[\s/?#]/.test(host)) return undefined
  const [user, password] = at < 0 ? ["", ""] : splitLogin(text.slice(0, at))
  return { scheme, host, user: decoded(user), password: decoded(password) }
}

/**
 * Reads `scheme://user:password@host:port`, the same without scheme (http is meant), `host:port`, `host:port:user:password`
 * and `scheme://host:port:user:password`. Throws `invalid-request` without quoting any of it.
 */
export function readProxyAddress(text: string): ProxyAddress {
  const trimmed = text.trim()
  const [, named, rest = trimmed] = SCHEME.exec(trimmed) ?? []
  const known = named?.toLowerCase() ?? "http"
  // Where both readings are possible, a host with its port at the end tells a URL.
  const isUrl = named !== undefined && HOST_AT_END.test(rest)
  const found = (isUrl ? undefined : readColons(known, rest)) ?? readLogin(known, rest)
  // A bare word is a typing error rather than a host on port 80.
  const isBare = named === undefined && found !== undefined && !/:\d+$/.test(found.host)
  if (found === undefined || isBare) throw refuse("The proxy's address cannot be read.", SHAPES)
  return found
}

/** The address as it is kept: a URL whose user and password are percent-encoded. Throws for one that cannot be used. */
export function proxyUrlOf({ scheme, host, user, password }: ProxyAddress): string {
  const login = user === "" && password === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  const url = `${scheme}://${login}${host}`
  try {
    const egress = parseEgress(url)
    if (egress.type !== "direct") return url
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    throw refuse(cause.message, cause.hint?.replace("proxy-url", "it") ?? SHAPES)
  }
  throw refuse("The proxy's address cannot be read.", SHAPES)
}

/** Reads an address and returns it as it is kept. */
export function tidyProxyUrl(text: string): string {
  const address = readProxyAddress(text)
  if (address.password === MASK) {
    throw refuse(
      "The proxy's password is masked.",
      "Export the proxies with their passwords, or write the password in.",
    )
  }
  return proxyUrlOf(address)
}

/** The address with its user and without its password. */
export function maskProxyUrl(url: string): string {
  const { scheme, host, user, password } = readProxyAddress(url)
  const shownUser = user === "" && password === "" ? "" : encodeURIComponent(user)
  return `${scheme}://${shownUser}${password === "" ? "" : `:${MASK}`}${shownUser + password === "" ? "" : "@"}${host}`
}

/** `host:port:user:password`, with the scheme in front unless it is http. Undefined for a host without a port. */
export function proxyLineOf(url: string): string | undefined {
  const { scheme, host, user, password } = readProxyAddress(url)
  if (!/:\d+$/.test(host)) return undefined
  const login = user === "" && password === "" ? "" : `:${user}:${password}`
  return `${scheme === "http" ? "" : `${scheme}://`}${host}${login}`
}
