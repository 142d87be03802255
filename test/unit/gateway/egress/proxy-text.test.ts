/** Addresses and lists of proxies as people write them. */

import { describe, expect, test } from "bun:test"

import { maskProxyUrl, proxyLineOf, tidyProxyUrl } from "#gateway/egress/proxy-address.ts"
import type { KeptProxy } from "#gateway/egress/proxy-book.ts"
import { UNCHECKED } from "#gateway/egress/proxy-health.ts"
import { readProxyText, writeProxyText } from "#gateway/egress/proxy-text.ts"
import { parseEgress } from "#transport/egress.ts"

/** Everything that has a meaning in URLs, in YAML or in lists of proxies. */
const HARD = `p@ss:w#rd/%?&=+!'" *\\é`

/** What a proxy is sent for a login. */
function loginOf(url: string): string {
  const egress = parseEgress(url)
  if (egress.type === "socks") {
    const { user, password } = egress.address.login ?? { user: "", password: "" }
    return `${Buffer.from(user).toString()}:${Buffer.from(password).toString()}`
  }
  if (egress.type !== "proxy") return ""
  return Buffer.from((egress.headers["proxy-authorization"] ?? "").replace("Basic ", ""), "base64").toString()
}

const kept = (url: string, rest: Partial<KeptProxy> = {}): KeptProxy => ({
  id: "px_1",
  name: "one",
  url,
  enabled: true,
  maxConcurrent: 0,
  health: UNCHECKED,
  createdAtMs: 0,
  ...rest,
})

const urlsIn = (text: string) => readProxyText(text).map(read => (read.type === "proxy" ? read.entry.url : read.reason))

describe("fault 74: a password with special characters", () => {
  test.each([
    ["as colons", `10.0.0.1:8080:ann:${HARD}`],
    ["as colons behind a scheme", `socks5h://10.0.0.1:8080:ann:${HARD}`],
    ["in a URL that was not encoded", "http://ann:p@ss:w#rd/?@10.0.0.1:8080"],
    ["in a URL that was", `http://ann:${encodeURIComponent(HARD)}@10.0.0.1:8080`],
  ])("%s reaches the proxy as it was meant", (_, text) => {
    const wanted = text.includes(HARD) || text.includes(encodeURIComponent(HARD)) ? HARD : "p@ss:w#rd/?"
    expect(loginOf(tidyProxyUrl(text))).toBe(`ann:${wanted}`)
  })

  test.each(["yaml", "lines"] as const)("survives an export as %s and the import of it", format => {
    const url = tidyProxyUrl(`socks5://10.0.0.1:1080:ann:${HARD}`)
    const { text, count } = writeProxyText([kept(url)], { format, passwords: "shown" })
    expect([count, urlsIn(text)]).toEqual([1, [url]])
  })
})

test.each([
  ["10.0.0.1:8080", "http://10.0.0.1:8080"],
  ["SOCKS5H://proxy.example:1080", "socks5h://proxy.example:1080"],
  ["ann:pw@proxy.example:3128", "http://ann:pw@proxy.example:3128"],
  ["[2001:db8::1]:1080:ann:pw", "http://ann:pw@[2001:db8::1]:1080"],
  ["https://proxy.example", "https://proxy.example"],
  ["http://proxy.example:80/", "http://proxy.example:80"],
])("%s is kept as %s", (text, url) => {
  expect(tidyProxyUrl(text)).toBe(url)
})

test.each(["", "proxy", "a b:1", "ftp://proxy.example:1", "http://h:1/path", "1.2.3.4:99999", "http://u:***@h:1"])(
  "%j is refused without quoting it",
  text => {
    const refusal = (): string => {
      try {
        return tidyProxyUrl(text)
      } catch (cause) {
        return cause instanceof Error ? cause.message : ""
      }
    }
    expect(refusal()).toMatch(/^The proxy/)
    if (text.length > 8) expect(refusal()).not.toContain(text)
  },
)

test("what is shown has the user and no password", () => {
  const url = tidyProxyUrl(`proxy.example:8080:ann:${HARD}`)
  expect(maskProxyUrl(url)).toBe("http://ann:***@proxy.example:8080")
  expect(maskProxyUrl("socks5://proxy.example:1080")).toBe("socks5://proxy.example:1080")
  expect(proxyLineOf("https://proxy.example")).toBeUndefined()
})

test("a list may be lines, a YAML list, a mapping, or JSON; each faulty entry is named by its place", () => {
  expect(urlsIn("# mine\n1.1.1.1:80\n\n2.2.2.2:80:u:p\r\nnonsense\n")).toEqual([
    "http://1.1.1.1:80",
    "http://u:p@2.2.2.2:80",
    expect.stringContaining("cannot be read"),
  ])
  const yaml = `proxies:
  - name: first
    protocol: socks5
    host: proxy.example
    port: 1080
    username: ann
    password: "p@ss"
    status: disabled
  - http://2.2.2.2:80
  - 17
`
  const read = readProxyText(yaml)
  expect(read).toEqual([
    {
      where: "entry 1",
      type: "proxy",
      entry: { url: "socks5://ann:p%40ss@proxy.example:1080", name: "first", enabled: false },
    },
    { where: "entry 2", type: "proxy", entry: { url: "http://2.2.2.2:80" } },
    { where: "entry 3", type: "refused", reason: "is neither an address nor a mapping" },
  ])
  expect(urlsIn('[{"url": "http://1.1.1.1:80"}]')).toEqual(["http://1.1.1.1:80"])
})

test("a masked export says so when it is imported again", () => {
  const { text } = writeProxyText([kept("http://ann:secret@h:1")], { format: "yaml", passwords: "masked" })
  expect(text).not.toContain("secret")
  expect(urlsIn(text)).toEqual([expect.stringContaining("masked")])
})

test("a proxy without a port has no line, and is named", () => {
  const written = writeProxyText([kept("https://proxy.example")], { format: "lines", passwords: "shown" })
  expect(written).toEqual({ text: "", count: 0, skipped: ["one"] })
})
