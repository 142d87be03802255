/** Account files as they are met in the field. */

import { expect, test } from "bun:test"

import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import { GatewayError } from "#core/errors.ts"

const FLAT = {
  type: "codex",
  access_token: "at",
  refresh_token: "rt",
  id_token: "it",
  account_id: "ws",
  email: "ann@example.com",
  expired: "2026-09-20T08:15:30Z",
  plan_type: "plus",
}

function messageOf(text: string): string {
  try {
    parseAccountFile(text)
  } catch (error) {
    if (error instanceof GatewayError) return error.message
    throw error
  }
  throw new Error("nothing was thrown")
}

test("a flat object is read with all its fields", () => {
  const { drafts, faults } = parseAccountFile(JSON.stringify(FLAT))
  expect(faults).toEqual([])
  expect(drafts).toEqual([
    {
      format: "flat",
      index: 0,
      provider: "codex",
      accessToken: "at",
      refreshToken: "rt",
      idToken: "it",
      workspaceId: "ws",
      email: "ann@example.com",
      plan: "plus",
      expiresAtMs: Date.parse("2026-09-20T08:15:30Z"),
      disabled: false,
    },
  ])
})

test.each([
  ["RFC 3339", "2026-09-20T08:15:30Z"],
  ["RFC 3339 with a zone and microseconds", "2026-09-20T16:15:30.000000+08:00"],
  ["seconds", 1_789_892_130],
  ["milliseconds", 1_789_892_130_000],
  ["seconds as text", "1789892130"],
])("an expiry in %s is the same moment", (_name, expired) => {
  const { drafts } = parseAccountFile(JSON.stringify({ ...FLAT, expired }))
  expect(drafts[0]?.expiresAtMs).toBe(1_789_892_130_000)
})

test("an expiry that is no time is left out instead of guessed", () => {
  const { drafts } = parseAccountFile(JSON.stringify({ ...FLAT, expired: "soon" }))
  expect(drafts[0]?.expiresAtMs).toBeUndefined()
})

test("the refresh token may be called rk", () => {
  expect(parseAccountFile('{"rk":"rt_1"}').drafts).toMatchObject([{ refreshToken: "rt_1", provider: "codex" }])
})

test("a byte order mark in front is ignored", () => {
  expect(parseAccountFile(`\uFEFF${JSON.stringify(FLAT)}`).drafts).toHaveLength(1)
})

test("an array holds one account per entry, numbered by position", () => {
  const { drafts } = parseAccountFile(JSON.stringify([FLAT, { ...FLAT, disabled: true }]))
  expect(drafts.map(draft => [draft.index, draft.disabled])).toEqual([
    [0, false],
    [1, true],
  ])
})

test("NDJSON skips comments and blank lines and takes either line end", () => {
  const text = `# my accounts\r\n${JSON.stringify(FLAT)}\r\n\r\n# second\r\n${JSON.stringify({ rk: "rt_2" })}\r\n`
  expect(parseAccountFile(text).drafts.map(draft => draft.refreshToken)).toEqual(["rt", "rt_2"])
})

test("a broken line of NDJSON is named and leaves the other lines alone", () => {
  const { drafts, faults } = parseAccountFile(`{"rk":"a"}\n{"rk":"b",}\n{"rk":"c"}\n`)
  expect(drafts.map(draft => draft.refreshToken)).toEqual(["a", "c"])
  expect(faults).toEqual([{ index: 1, reason: "not valid JSON at line 2, column 11" }])
})

test("an entry of another service is a fault of its own", () => {
  const { drafts, faults } = parseAccountFile(JSON.stringify([FLAT, { type: "gemini", access_token: "x" }]))
  expect(drafts).toHaveLength(1)
  expect(faults).toEqual([{ index: 1, reason: 'entry 2: "type" is not "codex": other services are not served' }])
})

test("an entry without any token names the fields it needs", () => {
  const { faults } = parseAccountFile('{"type":"codex","access_token":"  ","email":"a@b.c"}')
  expect(faults).toEqual([{ index: 0, reason: 'needs "access_token" or "refresh_token" (also "rk")' }])
})

test("broken JSON is reported with line and column and without its content", () => {
  const message = messageOf('{\n  "access_token": "secret",\n  "refresh_token" "rt"\n}')
  expect(message).toBe("not valid JSON at line 3, column 19")
})

test("a half-written file says that it ends too early", () => {
  expect(messageOf('{"access_token": "ey')).toBe("not complete JSON: it ends at line 1, column 21")
  expect(messageOf("")).toBe("the file is empty")
})

const TOKENS = { id_token: "", access_token: "at", refresh_token: "rt", account_id: "ws" }

test("the Codex client's file is read from its nested tokens", () => {
  const text = JSON.stringify({
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: TOKENS,
    last_refresh: "2026-09-20T08:15:30.123456Z",
  })
  expect(parseAccountFile(text).drafts).toEqual([
    {
      format: "codex-auth",
      index: 0,
      provider: "codex",
      accessToken: "at",
      refreshToken: "rt",
      workspaceId: "ws",
      lastRefreshAtMs: Date.parse("2026-09-20T08:15:30.123Z"),
      disabled: false,
    },
  ])
})

test.each([
  ["only a key", { OPENAI_API_KEY: "sk-1" }, "openai-api"],
  [
    "only a key, with mode and empty tokens",
    { auth_mode: "apikey", OPENAI_API_KEY: "sk-1", tokens: null },
    "openai-api",
  ],
  ["both, mode chatgpt", { auth_mode: "chatgpt", OPENAI_API_KEY: "sk-1", tokens: TOKENS }, "codex"],
  ["both, mode apikey", { auth_mode: "apikey", OPENAI_API_KEY: "sk-1", tokens: TOKENS }, "openai-api"],
  ["both, no mode: the key wins", { OPENAI_API_KEY: "sk-1", tokens: TOKENS }, "openai-api"],
  ["tokens and a blank key, no mode", { OPENAI_API_KEY: " ", tokens: TOKENS }, "codex"],
  ["tokens alone", { tokens: TOKENS }, "codex"],
])("a Codex client's file with %s", (_name, file, provider) => {
  const { drafts, faults } = parseAccountFile(JSON.stringify(file))
  expect(faults).toEqual([])
  expect(drafts.map(draft => draft.provider as string)).toEqual([provider])
})

test("tokens that another program manages are never refreshed by us", () => {
  const { drafts } = parseAccountFile(JSON.stringify({ auth_mode: "chatgptAuthTokens", tokens: TOKENS }))
  expect(drafts[0]?.accessToken).toBe("at")
  expect(drafts[0]?.refreshToken).toBeUndefined()
})

test("a way to sign in that is not served is a fault", () => {
  const { faults } = parseAccountFile(JSON.stringify({ auth_mode: "agentIdentity", agent_identity: "x" }))
  expect(faults).toEqual([{ index: 0, reason: '"auth_mode" names a way to sign in that is not supported' }])
})
