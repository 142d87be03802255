/** The way out of this machine: direct or through a proxy, decided once and never guessed. */

import { GatewayError } from "#core/errors.ts"

import { readSocksAddress, type SocksAddress } from "./socks/address.ts"

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
  | {
      readonly type: "socks"
      /** Scheme, host and port without credentials; safe to log. */
      readonly id: string
      readonly address: SocksAddress
    }

/** Straight to the upstream, whatever the environment says about proxies. */
export const DIRECT_EGRESS: Egress = { type: "direct", id: "direct" }

/**
 * Reads a configured `proxy-url`. Undefined, empty and `direct` mean direct; `http://`, `https://`, `socks5://` and `socks5h://`
 * may carry percent-encoded credentials. Anything else throws `upstream-unavailable`: a way out that cannot be used is never replaced by another.
 */
export function parseEgress(proxyUrl: string | undefined): Egress {
  if (proxyUrl === undefined || proxyUrl === "" || proxyUrl === "direct") return DIRECT_EGRESS
  const url = URL.parse(proxyUrl)
  if (url === null) throw unusable("The proxy URL cannot be read.", "Write it as http://user:password@host:port.")
  const { protocol } = url
  const bare = `${protocol}//${url.host}`
  const [user, password] = [percentDecoded(url.username), percentDecoded(url.password)]
  // Credentials decide which upstream identity the proxy picks, so they separate pools; their text stays out of the id.
  const id = url.username === "" ? bare : `${bare}#${Bun.hash(`${url.username}:${url.password}`).toString(36)}`
  if (protocol === "socks5:" || protocol === "socks5h:") {
    const address = readSocksAddress(url, user, password)
    if ("problem" in address) throw unusable(address.problem, address.hint)
    return { type: "socks", id, address }
  }
  if (protocol !== "http:" && protocol !== "https:") {
    throw unusable(`The proxy scheme ${protocol} is not supported.`, "Use http://, https://, socks5:// or socks5h://.")
  }
  return { type: "proxy", id, url: bare, headers: proxyHeaders(user, password) }
}

function proxyHeaders(user: string, password: string): Readonly<Record<string, string>> {
  if (user === "" && password === "") return {}
  return { "proxy-authorization": `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}` }
}

/** Decoded by hand so that reserved characters in a password arrive as they were meant. */
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
