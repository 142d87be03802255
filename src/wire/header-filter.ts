/** Forwards HTTP headers by allow-list: what is not named does not pass. */

/** Lower-case header names and name beginnings that may pass. */
export type HeaderAllowList = { readonly names: ReadonlySet<string>; readonly prefixes?: readonly string[] }

/** Headers of one connection, which the next one has its own of (RFC 9110 §7.6.1), and the length that goes with them. */
export const CONNECTION_HEADERS = [
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]

/** Never forwarded, whatever a list says: beside those of a connection the body's encoding and credentials. */
const NEVER: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  "content-encoding",
  "proxy-authenticate",
  "proxy-authorization",
  "set-cookie",
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
