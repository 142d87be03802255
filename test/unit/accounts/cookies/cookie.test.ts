/** Cookies: what `Set-Cookie` lines may set, and which requests they go with. */

import { describe, expect, test } from "bun:test"

import { type Cookie, cookieFault, cookieHeader, readSetCookie } from "#accounts/cookies/cookie.ts"

const NOW_MS = Date.parse("2026-03-01T00:00:00Z")
const SITE = new URL("https://chatgpt.com/backend-api/codex/responses")

const read = (line: string, url = SITE) => readSetCookie(line, url, NOW_MS)

function cookie(patch: Partial<Cookie> = {}): Cookie {
  return { name: "a", value: "1", domain: "chatgpt.com", hostOnly: false, path: "/", secure: true, ...patch }
}

const goesTo = (url: string, patch: Partial<Cookie> = {}) =>
  cookieHeader([cookie(patch)], new URL(url), NOW_MS) === "a=1"

describe("reading", () => {
  test("a line as the vendor's edge sends it", () => {
    const line =
      "__cf_bm=ab.c-17-1.0.1.1-Xy_%2F; path=/; expires=Sun, 01-Mar-26 00:30:00 GMT; domain=.chatgpt.com; HttpOnly; Secure; SameSite=None"
    expect(read(line)).toEqual({
      name: "__cf_bm",
      value: "ab.c-17-1.0.1.1-Xy_%2F",
      domain: "chatgpt.com",
      hostOnly: false,
      path: "/",
      secure: true,
      expiresAtMs: NOW_MS + 30 * 60_000,
    })
  })

  test("without a domain it is for that host alone; Max-Age counts before Expires", () => {
    expect(read("s=x=y==; Max-Age=60; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/backend-api")).toEqual({
      name: "s",
      value: "x=y==",
      domain: "chatgpt.com",
      hostOnly: true,
      path: "/backend-api",
      secure: false,
      expiresAtMs: NOW_MS + 60_000,
    })
  })

  test.each([
    ["another site's domain", "a=1; Domain=example.com", SITE],
    ["a host below the own one", "a=1; Domain=api.chatgpt.com", SITE],
    ["a whole top-level domain", "a=1; Domain=com", SITE],
    ["a name that only ends alike", "a=1; Domain=gpt.com", SITE],
    ["an address's last numbers", "a=1; Domain=0.1", new URL("http://10.0.0.1/")],
    ["a secure cookie over plain HTTP", "a=1; Secure", new URL("http://chatgpt.com/")],
    ["__Host- with a domain", "__Host-a=1; Secure; Path=/; Domain=chatgpt.com", SITE],
    ["__Secure- without Secure", "__Secure-a=1; Path=/", SITE],
    ["no name", "=1", SITE],
    ["no cookie at all", "hello", SITE],
    ["more than 4 KiB", `a=${"x".repeat(5000)}`, SITE],
  ])("%s sets nothing", (_, line, url) => {
    expect(read(line, url)).toBeUndefined()
  })

  test("values that would end the header or the value are no cookies", () => {
    expect(cookieFault({ name: "a", value: "b\r\nx: y" })).toBeString()
    expect(cookieFault({ name: "a", value: "b; c=d" })).toBeString()
    expect(cookieFault({ name: "a b", value: "c" })).toBeString()
    expect(cookieFault({ name: "a", value: '"b,c d"' })).toBeUndefined()
  })
})

describe("sending", () => {
  test("domain: its own host and those below it", () => {
    expect(goesTo("https://chatgpt.com/")).toBe(true)
    expect(goesTo("https://api.chatgpt.com/")).toBe(true)
    expect(goesTo("https://notchatgpt.com/")).toBe(false)
    expect(goesTo("https://api.chatgpt.com/", { hostOnly: true })).toBe(false)
  })

  test("path: whole segments", () => {
    expect(goesTo("https://chatgpt.com/backend-api/x", { path: "/backend-api" })).toBe(true)
    expect(goesTo("https://chatgpt.com/backend-api", { path: "/backend-api/" })).toBe(false)
    expect(goesTo("https://chatgpt.com/backend-apix", { path: "/backend-api" })).toBe(false)
  })

  test("secure cookies stay off plain HTTP, and expired ones stay here", () => {
    expect(goesTo("http://chatgpt.com/")).toBe(false)
    expect(goesTo("http://chatgpt.com/", { secure: false })).toBe(true)
    expect(goesTo("https://chatgpt.com/", { expiresAtMs: NOW_MS })).toBe(false)
    expect(goesTo("https://chatgpt.com/", { expiresAtMs: NOW_MS + 1 })).toBe(true)
  })

  test("longer paths stand first, and no cookie is no header", () => {
    const cookies = [cookie({ name: "wide" }), cookie({ name: "deep", path: "/backend-api" })]
    expect(cookieHeader(cookies, SITE, NOW_MS)).toBe("deep=1; wide=1")
    expect(cookieHeader([], SITE, NOW_MS)).toBeUndefined()
  })
})
