/** The search for secrets in clear finds them however they were written, and nothing else. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeSecretSearch, refuseFindings, type SecretSearch } from "../../support/clear-text.ts"

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const HEADER = part({ alg: "RS256", typ: "JWT" })
const PAYLOAD = part({ sub: "ann", iat: 1_800_000_000, jti: "0b0c2f0e-5a55-4b43-9c8f-6c1f2f6f7d10" })
const SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pdHNlbGY"
const ACCESS = `${HEADER}.${PAYLOAD}.${SIGNATURE}`
const REFRESH = "rt_4f1c9b2a7d3e6f80514c9b2a7d3e6f80514c9b2a7d3e6f80"

let search: SecretSearch

beforeEach(() => {
  search = makeSecretSearch()
  search.add([ACCESS, REFRESH])
})

const asJson = (text: string) => JSON.stringify({ message: `not good: ${text}` })

test.each([
  ["as it is", REFRESH],
  ["inside JSON inside JSON", asJson(asJson(REFRESH))],
  ["without its beginning", REFRESH.slice(9)],
  ["without its end", REFRESH.slice(0, 40)],
  ["as the payload of a signed token alone", PAYLOAD],
  ["as the signature of a signed token alone", SIGNATURE],
  ["behind a scheme", `Bearer ${ACCESS}`],
  ["in an address", `https://example.invalid/?token=${encodeURIComponent(REFRESH)}&x=1`],
  ["in base64, shifted by none", Buffer.from(REFRESH).toString("base64")],
  ["in base64, shifted by one", Buffer.from(`a${REFRESH}b`).toString("base64")],
  ["in base64, shifted by two", Buffer.from(`ab${ACCESS}c`).toString("base64url")],
  ["in hex", Buffer.from(`{"token":"${ACCESS}"}`).toString("hex")],
  ["between other letters", `xxxx${REFRESH}yyyy`],
])("a secret %s is found", (_name, text) => {
  const findings = search.inText("log", `before ${text} after`)
  expect(findings.length).toBeGreaterThan(0)
  // What is said about it can be printed.
  expect(JSON.stringify(findings)).not.toContain(REFRESH.slice(0, 12))
  expect(() => refuseFindings(findings)).toThrow("secrets stand in clear:\n  log, byte ")
})

test.each([
  ["the header that all signed tokens share", HEADER],
  ["the first characters, which a masked label may show", "rt_4f1c9b2a"],
  ["another token of the same shape", REFRESH.replaceAll("9b2a", "0000")],
  ["a sealed text", `v1:0a1b2c3d:${"Q".repeat(16)}:${"zX9-".repeat(400)}`],
  ["nothing", ""],
])("%s is no finding", (_name, text) => {
  expect(search.inText("log", text)).toEqual([])
  refuseFindings([])
})

test("a secret that is too short to be told from innocent text is refused", () => {
  expect(() => search.add(["sk-short"])).toThrow("this short")
})

let folder: string | undefined

afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

test("a folder is searched whole, names and binary files included, but for what is exempt", () => {
  folder = mkdtempSync(join(tmpdir(), "clear-text-"))
  mkdirSync(join(folder, "deep", "er"), { recursive: true })
  writeFileSync(join(folder, "master.key"), REFRESH)
  writeFileSync(join(folder, "innocent"), Buffer.alloc(10_000, 7))
  expect(search.inFolder(folder, path => path === "master.key")).toEqual([])
  writeFileSync(join(folder, "deep", "er", "core.db-wal"), Buffer.concat([Buffer.alloc(99), Buffer.from(ACCESS)]))
  writeFileSync(join(folder, `${REFRESH}.json`), "{}")
  const places = new Set(search.inFolder(folder, path => path === "master.key").map(({ where }) => where))
  expect([...places].sort()).toEqual(["deep/er/core.db-wal", `the name of ${REFRESH}.json`])
})
