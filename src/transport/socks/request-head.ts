/** Reads what our own HTTP client asks of the bridge: a tunnel, or one plain-HTTP request. */

import type { Target } from "./handshake.ts"

/** A request, taken apart. */
export type BridgeRequest =
  | { readonly type: "tunnel"; readonly target: Target; readonly secret: string }
  | {
      readonly type: "plain"
      readonly target: Target
      readonly secret: string
      /** What goes to the target instead of the head that came. */
      readonly head: string
      /** Bytes of the request that follow the head. */
      readonly bodyBytes: number
    }

/** Returns the request, or undefined for anything the bridge does not do. `head` ends before the blank line. */
export function readBridgeRequest(head: string): BridgeRequest | undefined {
  const [line = "", ...fields] = head.split("\r\n")
  const [method = "", address = "", version = "", ...rest] = line.split(" ")
  if (rest.length > 0 || version !== "HTTP/1.1" || !/^[A-Z]+$/.test(method)) return undefined
  const secret = fieldIn(fields, "proxy-authorization") ?? ""
  if (method === "CONNECT") {
    const target = readAuthority(address)
    return target && { type: "tunnel", target, secret }
  }
  const url = URL.parse(address)
  if (url === null || url.protocol !== "http:") return undefined
  const bodyBytes = Number(fieldIn(fields, "content-length") ?? 0)
  // A body without a length has no end that could be found without parsing it; our client always states one.
  if (!Number.isSafeInteger(bodyBytes) || bodyBytes < 0) return undefined
  if (fieldIn(fields, "transfer-encoding") !== undefined) return undefined
  const target = { host: bareHost(url.hostname), port: url.port === "" ? 80 : Number(url.port) }
  return { type: "plain", target, secret, bodyBytes, head: plainHead(`${method} ${url.pathname}${url.search}`, fields) }
}

/** One request a connection: a second one could name another target, and its head would carry the secret there. */
function plainHead(start: string, fields: readonly string[]): string {
  const kept = fields.filter(field => !/^(proxy-[a-z-]+|connection|keep-alive)\s*:/i.test(field))
  return [`${start} HTTP/1.1`, ...kept, "Connection: close", "", ""].join("\r\n")
}

function readAuthority(text: string): Target | undefined {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined
  return { host: bareHost(host), port: Number(port) }
}

function bareHost(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host
}

function fieldIn(fields: readonly string[], name: string): string | undefined {
  const field = fields.find(text => text.slice(0, text.indexOf(":")).toLowerCase() === name)
  return field?.slice(name.length + 1).trim()
}
