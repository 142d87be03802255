/** Every shape of account list, found out and forced, and everything that can be wrong with one. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { isListFormat } from "#accounts/formats/format-names.ts"
import { readImport } from "#accounts/formats/read-import.ts"
import { GatewayError } from "#core/errors.ts"

import { makeJwt, START_SEC } from "../token-endpoint.ts"

const ACCESS = makeJwt({ user: "user-1", workspace: "ws-1", email: "ann@example.com" })
const SECRETS = [ACCESS, "rt_secret", "sk-secret"]
const EXPIRES_MS = (START_SEC + 5) * 1000

function read(text: string, format?: string) {
  if (format !== undefined && !isListFormat(format)) throw new Error(`no format ${format}`)
  const { items, ...facts } = readImport(text, format)
  const all = [...items]
  return {
    ...facts,
    drafts: all.flatMap(item => ("draft" in item ? [item.draft] : [])),
    refused: all.flatMap(item => ("reason" in item ? [`${item.where}: ${item.reason}`] : [])),
  }
}

function messageOf(text: string, format?: string): string {
  try {
    read(text, format)
  } catch (error) {
    if (error instanceof GatewayError) return error.message
    throw error
  }
  throw new Error("nothing was thrown")
}

const FLAT = {
  type: "codex",
  access_token: ACCESS,
  refresh_token: "rt_secret",
  account_id: "ws-1",
  expired: EXPIRES_MS,
}
const TOKENS = { id_token: "", access_token: ACCESS, refresh_token: "rt_secret", account_id: "ws-1" }
const SUB2API = {
  type: "sub2api-data",
  version: 1,
  proxies: [],
  accounts: [
    {
      name: "Ann",
      platform: "openai",
      type: "oauth",
      credentials: {
        access_token: ACCESS,
        refresh_token: "rt_secret",
        chatgpt_account_id: "ws-1",
        expires_at: EXPIRES_MS,
      },
    },
  ],
}
const BOTH = { accessToken: ACCESS, refreshToken: "rt_secret" }

const FIXTURES: readonly (readonly [name: string, format: string, text: string, draft: object])[] = [
  ["a flat object", "flat", JSON.stringify(FLAT), { ...BOTH, workspaceId: "ws-1", expiresAtMs: EXPIRES_MS }],
  ["an array of flat objects", "flat", JSON.stringify([FLAT]), BOTH],
  ["NDJSON with comments", "flat", `# mine\r\n${JSON.stringify(FLAT)}\r\n`, BOTH],
  ["rk for the refresh token", "flat", '{"rk":"rt_secret"}', { refreshToken: "rt_secret" }],
  [
    "minimal entries",
    "flat",
    '[{"refresh_token":"rt_secret","label":"mine"}]',
    { refreshToken: "rt_secret", label: "mine" },
  ],
  ["the client's file", "codex-auth", JSON.stringify({ auth_mode: "chatgpt", tokens: TOKENS }), BOTH],
  [
    "the client's old file",
    "codex-auth",
    JSON.stringify({ tokens: TOKENS, last_refresh: "2026-09-20T08:15:30Z" }),
    BOTH,
  ],
  ["the client's file with a key", "codex-auth", '{"OPENAI_API_KEY":"sk-secret"}', { apiKey: "sk-secret" }],
  ["refresh tokens", "refresh-tokens", "rt_secret\noaistb_rt_2\n", { refreshToken: "rt_secret" }],
  ["access tokens", "access-tokens", `${ACCESS}\r\n`, { accessToken: ACCESS }],
  ["mixed lines", "tokens", `${ACCESS}\nrt_2\nsk-3\n`, { accessToken: ACCESS }],
  [
    "an icebear list",
    "icebear",
    JSON.stringify({ accounts: [{ token: ACCESS, refreshToken: "rt_secret", label: "Ann" }] }),
    { ...BOTH, label: "Ann" },
  ],
  ["an icebear list, nested tokens", "icebear", JSON.stringify({ accounts: [{ tokens: TOKENS }] }), BOTH],
  ["an icebear list, nested credentials", "icebear", JSON.stringify({ accounts: [{ credentials: BOTH }] }), BOTH],
  [
    "a codex2api array with session fields",
    "codex2api",
    JSON.stringify([
      { ...FLAT, type: undefined, session_token: "s", codex_5h_used_percent: 3, expires_at: "1800000005" },
    ]),
    BOTH,
  ],
  [
    "a web session dump",
    "codex2api",
    JSON.stringify({
      accessToken: ACCESS,
      user: { id: "user-1", email: "ann@example.com" },
      account: { id: "ws-1", planType: "plus" },
    }),
    { accessToken: ACCESS, userId: "user-1", workspaceId: "ws-1", plan: "plus", email: "ann@example.com" },
  ],
  [
    "a sub2api export",
    "sub2api",
    JSON.stringify(SUB2API),
    { ...BOTH, workspaceId: "ws-1", label: "Ann", expiresAtMs: EXPIRES_MS },
  ],
  ["a sub2api API answer", "sub2api", JSON.stringify({ code: 0, message: "success", data: SUB2API }), BOTH],
  ["a sub2api array", "sub2api", JSON.stringify(SUB2API.accounts), BOTH],
  [
    "a sub2api key",
    "sub2api",
    JSON.stringify({
      ...SUB2API,
      accounts: [
        {
          platform: "openai",
          type: "apikey",
          credentials: { api_key: "sk-secret", base_url: "https://api.example.com/v1" },
        },
      ],
    }),
    { apiKey: "sk-secret", baseUrl: "https://api.example.com/v1", provider: "openai-api" },
  ],
  [
    "a codex-lb list",
    "codex-lb",
    JSON.stringify({
      version: 1,
      created_at: "2026-09-20T08:15:30Z",
      accounts: [
        {
          email: "ann@example.com",
          chatgpt_account_id: "ws-1",
          credentials: { auth_mode: "chatgpt", openai_api_key: null, ...TOKENS },
        },
      ],
    }),
    { ...BOTH, email: "ann@example.com", workspaceId: "ws-1" },
  ],
  [
    "a dvcrn file",
    "dvcrn",
    JSON.stringify({ tokens: { ...TOKENS, expiresAt: EXPIRES_MS } }),
    { ...BOTH, expiresAtMs: EXPIRES_MS },
  ],
  [
    "a dvcrn worker's file",
    "dvcrn",
    JSON.stringify({ claudeAiOauth: { ...BOTH, expiresAt: EXPIRES_MS }, userID: "x" }),
    { ...BOTH, expiresAtMs: EXPIRES_MS },
  ],
  [
    "an opencode file",
    "opencode",
    JSON.stringify({
      openai: { type: "oauth", refresh: "rt_secret", access: ACCESS, expires: EXPIRES_MS, accountId: "ws-1" },
    }),
    { ...BOTH, expiresAtMs: EXPIRES_MS, workspaceId: "ws-1" },
  ],
  [
    "an opencode key",
    "opencode",
    JSON.stringify({ openai: { type: "api", key: "sk-secret" } }),
    { apiKey: "sk-secret" },
  ],
  [
    "a ProxyCast file",
    "proxycast",
    JSON.stringify({ ...FLAT, api_base_url: "https://proxy.example.com" }),
    { ...BOTH, baseUrl: "https://proxy.example.com" },
  ],
]

describe("shapes", () => {
  test.each(FIXTURES)("%s is found out and read", (_name, format, text, draft) => {
    const found = read(text)
    expect(found.refused).toEqual([])
    expect(found.format as string).toBe(format)
    expect(found.drafts[0]).toMatchObject(draft)
  })

  test.each(FIXTURES)("%s is read alike with a mark in front and as the format it is", (_name, format, text, draft) => {
    const found = read(`\uFEFF${text}`, format)
    expect(found.refused).toEqual([])
    expect(found.format as string).toBe(format)
    expect(found.drafts[0]).toMatchObject(draft)
  })

  test("a forced format of lines takes tokens of unknown shape", () => {
    expect(read("opaque-1\nopaque-2", "refresh-tokens").drafts.map(draft => draft.refreshToken)).toEqual([
      "opaque-1",
      "opaque-2",
    ])
    expect(read("opaque-1", "access-tokens").drafts[0]?.accessToken).toBe("opaque-1")
  })

  test("a forced format that the file is not is refused as a whole", () => {
    expect(messageOf(JSON.stringify(FLAT), "sub2api")).toBe("the file is not of the format sub2api")
    expect(messageOf(JSON.stringify(SUB2API), "flat")).toBe("the file is not of the format flat; it looks like sub2api")
    expect(messageOf("rt_1", "icebear")).toBe("the file is not of the format icebear")
  })
})

describe("what is wrong", () => {
  test("half a JSON file says where it ends", () => {
    expect(messageOf(JSON.stringify(FLAT).slice(0, 40))).toBe("not complete JSON: it ends at line 1, column 41")
    expect(messageOf(JSON.stringify([FLAT, FLAT], undefined, 2).slice(0, 60))).toStartWith("not complete JSON")
    expect(messageOf(" \r\n\t")).toBe("the file is empty")
    expect(read("12").refused).toHaveLength(1)
  })

  test("a half-written last line of NDJSON leaves the lines before it alone", () => {
    const line = JSON.stringify(FLAT)
    const found = read(`${line}\n${line.slice(0, 30)}`)
    expect(found.drafts).toHaveLength(1)
    expect(found.refused).toEqual(["line 2: not complete JSON: it ends at line 2, column 31"])
  })

  test.each([
    ["sk-ant-oat01-x", "line 1: is a token of Anthropic: other services are not served"],
    ["ya29.x", "line 1: is a token of Google: other services are not served"],
    ["ghp_x", "line 1: is a token of GitHub: other services are not served"],
    ["two words", "line 1: is not a single token"],
    ["eyJ.a.b.c.d", "line 1: is an encrypted token such as a session cookie, which proves nothing upstream"],
    ["hello", "line 1: is no token of a known shape; `--format refresh-tokens` or `access-tokens` says what it is"],
    ["eyJhbGciOiJSUzI1NiJ9.bm90IGpzb24.c2ln", "line 1: its access token is damaged: the payload is not readable"],
    ["[1]", "line 1: is not an object"],
  ])("the line %s gives its reason", (line, reason) => {
    expect(read(`${line}\nrt_good`, line === "[1]" ? "tokens" : undefined).refused).toEqual([reason])
  })

  test("the wrong kind of token for a forced format is named", () => {
    expect(read(ACCESS, "refresh-tokens").refused).toEqual(["line 1: is an access token, not a refresh token"])
    expect(read("rt_1", "access-tokens").refused).toEqual(["line 1: is a refresh token, not an access token"])
  })

  test("tokens of other services inside JSON are refused one by one", () => {
    const foreign = Buffer.from(JSON.stringify({ iss: "https://accounts.example.com" })).toString("base64url")
    const list = [FLAT, { refresh_token: "sk-ant-ort01-x" }, { access_token: `eyJh.${foreign}.x` }, 7, {}]
    const found = read(JSON.stringify(list))
    expect(found.drafts).toHaveLength(1)
    expect(found.refused).toEqual([
      "entry 2: its token is one of Anthropic: other services are not served",
      "entry 3: its access token was issued by another service",
      "entry 4: is not an object",
      'entry 5: needs "access_token" or "refresh_token" (also "rk")',
    ])
  })

  test("other platforms and services are left out with a reason, the rest is taken", () => {
    const other = { platform: "anthropic", credentials: { access_token: "x" } }
    expect(read(JSON.stringify({ ...SUB2API, accounts: [other, ...SUB2API.accounts] })).refused).toEqual([
      "entry 1: its platform is another service, which is not served",
    ])
    const opencode = { anthropic: { type: "oauth", refresh: "x" }, openai: { type: "oauth", refresh: "rt_1" } }
    const found = read(JSON.stringify(opencode))
    expect([found.drafts.length, found.refused]).toEqual([1, ["another service: only the entry `openai` is served"]])
  })

  test("an API's refusal and an encrypted bundle say what they are", () => {
    expect(messageOf('{"code":401,"message":"no","data":null}')).toBe("the file holds an API's refusal, no accounts")
    const bundle = JSON.stringify({ format: "codex-lb-account-bundle", version: 1, ciphertext: "x" })
    expect(messageOf(bundle)).toBe("the file is an encrypted bundle of codex-lb")
  })

  test("no cut and no flipped character of any shape crashes or shows a secret", () => {
    const texts = FIXTURES.map(fixture => fixture[2])
    const damage = fc.tuple(
      fc.constantFrom(...texts),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom("", '"', "}", "\n", "x"),
    )
    fc.assert(
      fc.property(damage, ([text, at, put]) => {
        const place = Math.floor(at * text.length)
        const damaged = put === "" ? text.slice(0, place) : text.slice(0, place) + put + text.slice(place + 1)
        let said: string
        try {
          said = read(damaged).refused.join("\n")
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          said = error.message
        }
        for (const secret of SECRETS) expect(said).not.toContain(secret)
      }),
    )
  })
})
