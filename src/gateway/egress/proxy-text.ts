/** Lists of proxies as text: what people paste and keep in files, read and written. */

import { toGatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

import { maskProxyUrl, proxyLineOf, proxyUrlOf, tidyProxyUrl } from "./proxy-address.ts"
import type { KeptProxy } from "./proxy-book.ts"

/** One entry of a list; `where` names its place, `reason` says what is wrong without quoting it. */
export type ReadProxy =
  | { readonly where: string; readonly type: "proxy"; readonly entry: ProxyEntry }
  | { readonly where: string; readonly type: "refused"; readonly reason: string }

/** What an entry says; absent = nothing. */
export type ProxyEntry = {
  /** Tidy. */
  readonly url: string
  readonly name?: string
  readonly region?: string
  readonly enabled?: boolean
  readonly maxConcurrent?: number
}

/** What lists are written as: `yaml` with names and settings, `lines` of `host:port:user:password`. */
export const PROXY_FORMATS = ["yaml", "lines"] as const

/** One of them. */
export type ProxyFormat = (typeof PROXY_FORMATS)[number]

/**
 * Reads YAML or JSON (a list, or a mapping with one under `proxies`; entries are addresses, mappings with `url`, or with
 * `host`, `port`, `username`, `password` and `protocol`), or addresses one a line; `#` begins a comment there.
 */
export function readProxyText(text: string): readonly ReadProxy[] {
  const members = membersIn(text)
  if (members !== undefined) return members.map((member, index) => readMember(member, `entry ${index + 1}`))
  return text.split(/\r?\n/).flatMap((line, index) => {
    const bare = line.trim()
    return bare === "" || bare.startsWith("#") ? [] : [readEntry({ url: bare }, `line ${index + 1}`)]
  })
}

/** Undefined for text that is no document: then its lines count. */
function membersIn(text: string): readonly Json[] | undefined {
  // Lines of addresses may be YAML by accident: a list is announced by a dash, a bracket or a name.
  if (!/^\s*(-\s|\[|\{|proxies\s*:|---)/m.test(text)) return undefined
  try {
    // YAML holds JSON; what it gives are the values of JSON and, at most, dates, which nothing here reads.
    const value = Bun.YAML.parse(text) as Json
    if (Array.isArray(value)) return value
    return isJsonObject(value) ? arrayAt(value, "proxies") : undefined
  } catch {
    // Read as lines, it is refused with the places of what cannot be read.
    return undefined
  }
}

function readMember(member: Json, where: string): ReadProxy {
  if (typeof member === "string") return readEntry({ url: member }, where)
  if (!isJsonObject(member)) return { where, type: "refused", reason: "is neither an address nor a mapping" }
  return readEntry(member, where)
}

function textAt(member: JsonObject, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = member[key]
    if (typeof value === "string" && value.trim() !== "") return value
    if (typeof value === "number") return String(value)
  }
  return undefined
}

function urlIn(member: JsonObject): string {
  const host = textAt(member, "host", "server")
  if (textAt(member, "url") !== undefined || host === undefined) return tidyProxyUrl(textAt(member, "url") ?? "")
  const port = textAt(member, "port")
  return proxyUrlOf({
    scheme: (textAt(member, "protocol", "scheme", "type") ?? "http").toLowerCase(),
    host: port === undefined ? host.trim() : `${host.trim()}:${port}`,
    user: textAt(member, "username", "user") ?? "",
    password: textAt(member, "password") ?? "",
  })
}

function readEntry(member: JsonObject, where: string): ReadProxy {
  try {
    const [name, region] = [textAt(member, "name", "label"), textAt(member, "region")]
    const { enabled, max_concurrent: maxConcurrent } = member
    const status = stringAt(member, "status")
    const isOn = typeof enabled === "boolean" ? enabled : status === "disabled" ? false : undefined
    const entry: ProxyEntry = {
      url: urlIn(member),
      ...(name !== undefined && { name: name.trim() }),
      ...(region !== undefined && { region: region.trim() }),
      ...(isOn !== undefined && { enabled: isOn }),
      ...(typeof maxConcurrent === "number" && { maxConcurrent }),
    }
    return { where, type: "proxy", entry }
  } catch (cause) {
    const { message, hint } = toGatewayError(cause)
    return { where, type: "refused", reason: hint === undefined ? message : `${message} ${hint}` }
  }
}

/** The text, and the names of proxies that do not fit the format or whose address cannot be read. */
export type WrittenProxies = { readonly text: string; readonly count: number; readonly skipped: readonly string[] }

/** Writes a list; `passwords` are masked unless they were asked for, and a masked list is refused when it is read again. */
export function writeProxyText(
  proxies: readonly KeptProxy[],
  { format, passwords }: { readonly format: ProxyFormat; readonly passwords: "masked" | "shown" },
): WrittenProxies {
  const texts = proxies.map(proxy => [proxy, shownUrl(proxy, passwords)] as const)
  const written = texts.flatMap(([proxy, url]) => {
    const text = url === undefined ? undefined : format === "yaml" ? yamlOf(proxy, url) : proxyLineOf(url)
    return text === undefined ? [] : [{ proxy, text }]
  })
  const done = new Set(written.map(({ proxy }) => proxy))
  const head = format === "yaml" ? (written.length === 0 ? "proxies: []\n" : "proxies:\n") : ""
  return {
    text: head + written.map(({ text }) => `${text}\n`).join(""),
    count: written.length,
    skipped: proxies.filter(proxy => !done.has(proxy)).map(({ name }) => name),
  }
}

function shownUrl({ url }: KeptProxy, passwords: "masked" | "shown"): string | undefined {
  return url === undefined || passwords === "shown" ? url : maskProxyUrl(url)
}

/** Strings in double quotes: JSON's are YAML's, whatever stands in them. */
function yamlOf({ name, region, enabled, maxConcurrent }: KeptProxy, url: string): string {
  const members = [
    `  - name: ${JSON.stringify(name)}`,
    `    url: ${JSON.stringify(url)}`,
    ...(region === undefined ? [] : [`    region: ${JSON.stringify(region)}`]),
    `    enabled: ${enabled}`,
    ...(maxConcurrent === 0 ? [] : [`    max_concurrent: ${maxConcurrent}`]),
  ]
  return members.join("\n")
}
