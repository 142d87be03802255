/** Who may use a port that asks for no key: programs and pages of this machine, and pages the operator has named. */

import { hostname } from "node:os"

/** What the fence makes of a request. `origin` is the page to whose scripts the answer may be shown. */
export type FenceVerdict =
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "admitted"; readonly origin?: string }

/** Desktop applications' pages, as Ollama itself lets them in. */
const APPLICATION_SCHEMES = /^(app|file|tauri|vscode-webview|vscode-file):\/\//

/** Endings that no name on the internet has (RFC 6761, RFC 6762, and the one ICANN keeps free). */
const LOCAL_ENDINGS = /\.(localhost|local|internal)$/

/**
 * Looks at the headers that pages cannot choose. A page of another site is known by its origin; one that has pointed a name
 * of its own at this machine, so that the browser takes both for one site, by the name of the host it asks for.
 */
export function checkFence(request: Request, origins: readonly string[]): FenceVerdict {
  const host = request.headers.get("host")
  if (!isOurName(host ?? "")) {
    return { type: "refused", reason: "This port answers to the names and addresses of this machine only." }
  }
  const origin = request.headers.get("origin")
  if (origin === null) return checkSite(request)
  if (isAllowedOrigin(origin.toLowerCase(), origins)) return { type: "admitted", origin }
  return {
    type: "refused",
    reason: "Pages of this origin may not use this port; the setting ollama.origins names some.",
  }
}

/** Images, scripts and links of a page come without an origin; browsers tell of these in a header of its own. */
function checkSite({ headers }: Request): FenceVerdict {
  if (headers.get("sec-fetch-site") !== "cross-site") return { type: "admitted" }
  return { type: "refused", reason: "Pages of other sites may not use this port." }
}

function isOurName(host: string): boolean {
  if (host === "") return true
  const name = URL.parse(`http://${host}`)?.hostname ?? ""
  if (name === "") return false
  return name === "localhost" || LOCAL_ENDINGS.test(name) || isPrivateAddress(name) || name === hostname().toLowerCase()
}

/** Addresses of this machine and of private networks, in the form that URLs have them in. */
function isPrivateAddress(name: string): boolean {
  if (name.startsWith("[")) return isPrivateAddress6(name.slice(1, -1))
  const octets = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(name)
  if (octets === null) return false
  const [first, second] = [Number(octets[1]), Number(octets[2])]
  if (first === 127 || first === 10 || name === "0.0.0.0") return true
  return (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168)
}

/** Loopback, unspecified, unique local (RFC 4193), and IPv4 addresses written as IPv6, which URLs have in hex. */
function isPrivateAddress6(address: string): boolean {
  if (address === "::1" || address === "::" || /^f[cd]/.test(address)) return true
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (mapped === null) return false
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)]
  return isPrivateAddress([high >> 8, high & 255, low >> 8, low & 255].join("."))
}

function isAllowedOrigin(origin: string, further: readonly string[]): boolean {
  if (further.some(pattern => fits(pattern, origin))) return true
  if (APPLICATION_SCHEMES.test(origin)) return true
  if (!/^https?:\/\//.test(origin)) return false
  const name = URL.parse(origin)?.hostname ?? ""
  return name === "localhost" || name === "[::1]" || name === "0.0.0.0" || /^127\.\d+\.\d+\.\d+$/.test(name)
}

/** `*` stands for any text; there may be several. */
function fits(pattern: string, origin: string): boolean {
  const pieces = pattern.split("*").map(piece => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${pieces.join(".*")}$`).test(origin)
}
