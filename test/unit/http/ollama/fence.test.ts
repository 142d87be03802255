/** Who may use a port that asks for no key. */

import { describe, expect, test } from "bun:test"
import { hostname } from "node:os"

import { checkFence } from "#http/ollama/fence.ts"

function verdict(headers: Readonly<Record<string, string>>, origins: readonly string[] = []) {
  const request = new Request("http://127.0.0.1:11434/api/tags", { headers: { host: "127.0.0.1:11434", ...headers } })
  const { type, ...rest } = checkFence(request, origins)
  return "origin" in rest ? rest.origin : type
}

describe("the host that is asked for", () => {
  test.each([
    "127.0.0.1:11434",
    "localhost:11434",
    "LOCALHOST",
    "[::1]:11434",
    "127.9.9.9",
    "0.0.0.0:11434",
    "10.1.2.3:11434",
    "172.31.0.1",
    "192.168.1.20:80",
    "[fd00::1]:11434",
    "[::ffff:192.168.1.1]",
    "host.docker.internal:11434",
    "box.local",
    "ollama.localhost",
    hostname(),
  ])("%s is this machine's", host => {
    expect(verdict({ host })).toBe("admitted")
  })
  test.each([
    "rebound.example.com:11434",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "localhost@example.com",
    "example.com#localhost",
    "172.32.0.1",
    "203.0.113.9:11434",
    "[2001:db8::1]",
    "[::ffff:203.0.113.9]",
    "evillocal",
    "a b",
  ])("50, O10: %s may be a name that somebody has pointed here", host => {
    expect(verdict({ host })).toBe("refused")
  })
})

describe("the page that asks", () => {
  test.each([
    "http://localhost",
    "http://localhost:3000",
    "https://127.0.0.1:8443",
    "http://[::1]:5173",
    "http://0.0.0.0:8080",
    "app://obsidian.md",
    "file://",
    "tauri://localhost",
    "vscode-webview://1a2b",
    "vscode-file://vscode-app",
  ])("%s may, and may read the answer", origin => {
    expect(verdict({ origin })).toBe(origin)
  })
  test.each([
    "https://example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "https://example.com:11434",
    "http://192.168.1.5",
    "null",
    "",
    "chrome-extension://abcdef",
    "data:text/html,x",
    "xapp://x",
  ])("50, O10: %j may not", origin => {
    expect(verdict({ origin })).toBe("refused")
  })
  test("without an origin it may, unless the browser says that another site asks", () => {
    expect(verdict({})).toBe("admitted")
    expect(verdict({ "sec-fetch-site": "same-origin" })).toBe("admitted")
    expect(verdict({ "sec-fetch-site": "none" })).toBe("admitted")
    expect(verdict({ "sec-fetch-site": "cross-site" })).toBe("refused")
  })
  test("an admitted origin does not help a foreign host", () => {
    expect(verdict({ host: "rebound.example.com", origin: "http://localhost:3000" })).toBe("refused")
  })
})

describe("origins that the operator names", () => {
  const NAMED = ["https://chat.example.com", "chrome-extension://*", "null"]
  test.each(["https://chat.example.com", "https://CHAT.example.com", "chrome-extension://abc", "null"])(
    "%s may",
    origin => {
      expect(verdict({ origin }, NAMED)).toBe(origin)
    },
  )
  test.each(["https://chat.example.com.evil.test", "https://chatXexample.com", "http://chat.example.com", "nullx"])(
    "%s is not meant",
    origin => expect(verdict({ origin }, NAMED)).toBe("refused"),
  )
})
