/** Forwards HTTP headers by allow-list: what is not named does not pass. */

/** Lower-case header names and name beginnings that may pass. */
export type HeaderAllowList = { readonly names: ReadonlySet<string>; readonly prefixes?: readonly string[] }

/**
 * Never forwarded, whatever a list says: they describe one connection or one encoding of the body, or they are
 * credentials (RFC 9110 §7.6.1).
 */
const NEVER: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
])

/** Returns the headers that may pass, lower-case. */
export function pickHeaders(headers: Headers, allow: HeaderAllowList): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const [name, value] of headers) {
    if (!NEVER.has(name) && isAllowed(name, allow)) picked[name] = value
  }
  return picked
}

function isAllowed(name: string, allow: HeaderAllowList): boolean {
  if (allow.names.has(name)) return true
  return allow.prefixes?.some(prefix => name.startsWith(prefix)) ?? false
}
