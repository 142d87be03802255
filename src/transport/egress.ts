/** The way out of this machine: direct or through an HTTP proxy, decided once and never guessed. */

import { GatewayError } from "#core/errors.ts"

/** How connections leave. Two accounts with the same `id` share one pool of connections. */
export type Egress =
  | { readonly type: "direct"; readonly id: "direct" }
  | {
      readonly type: "proxy"
      /** Scheme, host and port without credentials; safe to log. */
      readonly id: string
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
    }

/** Straight to the upstream, whatever the environment says about proxies. */
export const DIRECT_EGRESS: Egress = { type: "direct", id: "direct" }

/**
 * Reads a configured `proxy-url`. Undefined, empty and `direct` mean direct; `http://` and `https://` may carry percent-encoded
 * credentials. Anything else throws `upstream-unavailable`: a way out that cannot be used is never replaced by another.
 */
export function parseEgress(proxyUrl: string | undefined): Egress {
  if (proxyUrl === undefined || proxyUrl === "" || proxyUrl === "direct") return DIRECT_EGRESS
  const url = URL.parse(proxyUrl)
  if (url === null) throw unusable("The proxy URL cannot be read.", "Write it as http://user:password@host:port.")
  if (url.protocol.startsWith("socks")) {
    throw unusable("SOCKS proxies are not supported yet.", "Name an http:// or https:// proxy in proxy-url.")
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw unusable(`The proxy scheme ${url.protocol} is not supported.`, "Use an http:// or https:// proxy.")
  }
  const bare = `${url.protocol}//${url.host}`
  const headers = proxyHeaders(url)
  // Credentials decide which upstream identity the proxy picks, so they separate pools; their text stays out of the id.
  const suffix = url.username === "" ? "" : `#${Bun.hash(`${url.username}:${url.password}`).toString(36)}`
  return { type: "proxy", id: bare + suffix, url: bare, headers }
}

/** Decoded by hand so that reserved characters in a password arrive as they were meant. */
function proxyHeaders(url: URL): Readonly<Record<string, string>> {
  if (url.username === "" && url.password === "") return {}
  const pair = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`
  return { "proxy-authorization": `Basic ${Buffer.from(pair, "utf8").toString("base64")}` }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    // A lone "%" is the only way here; naming the text would put a password into a log.
    throw new GatewayError("upstream-unavailable", "The proxy credentials are not valid percent-encoding.", {
      code: "proxy_unusable",
      hint: "Write % as %25 in the proxy URL.",
      cause: cause instanceof URIError ? undefined : cause,
    })
  }
}

function unusable(message: string, hint: string): GatewayError {
  return new GatewayError("upstream-unavailable", message, { code: "proxy_unusable", hint })
}
