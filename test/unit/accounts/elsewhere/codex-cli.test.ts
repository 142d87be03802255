/** `import-codex-cli`: the Codex CLI's login and the base URL its configuration gives it. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { openCodexCli } from "#accounts/elsewhere/codex-cli.ts"

import { makeJwt, makeTestDirectory } from "../token-endpoint.ts"

let home: ReturnType<typeof makeTestDirectory>

beforeEach(() => {
  home = makeTestDirectory()
  const access = makeJwt({ user: "ann", workspace: "ws-ann" })
  write(
    "auth.json",
    JSON.stringify({ tokens: { access_token: access, refresh_token: "rt_cli", account_id: "ws-ann" } }),
  )
})

afterEach(() => home.remove())

function write(name: string, text: string): void {
  writeFileSync(join(home.path, name), text)
}

function open(isLoaded: (path: string) => boolean = () => false) {
  return openCodexCli({ home: home.path, own: { host: "127.0.0.1", port: 8080 }, isLoaded })
}

/** The base URLs a configuration leads to, and the messages about it besides the usual one. */
function urlsOf(toml: string) {
  write("config.toml", toml)
  const { sources, notices } = open()
  return { urls: sources[0]?.terms.baseUrls, says: notices.slice(0, -1).map(notice => notice.message) }
}

const IGNORED = "the Codex CLI's configuration gives its login no base URL: "

test("the login is borrowed, with one warning that says what happens when it expires and what to do", () => {
  const { sources, notices } = open()
  expect(sources).toMatchObject([{ path: join(home.path, "auth.json"), terms: { isBorrowed: true, baseUrls: {} } }])
  expect(notices).toHaveLength(1)
  expect(notices[0]).toMatchObject({ level: "warn", path: join(home.path, "auth.json") })
  expect(`${notices[0]?.message} ${notices[0]?.hint}`).toMatch(/two programs.*token expires.*sluice login/s)
})

test("an API key needs no warning: it cannot be lost", () => {
  write("auth.json", '{"OPENAI_API_KEY":"sk-one"}')
  expect(open().notices).toEqual([])
})

test("a file that is missing or half written is followed all the same", () => {
  write("auth.json", '{"tokens":')
  expect(open()).toMatchObject({ sources: [{ terms: { isBorrowed: true } }], notices: [{ level: "warn" }] })
  expect(open().sources[0]?.hint()).toContain("codex login")
})

test("a file that serves already is not opened a second time", () => {
  const { sources, notices } = open(path => path === join(home.path, "auth.json"))
  expect(sources).toEqual([])
  expect(notices.map(notice => notice.level)).toEqual(["info"])
})

describe("config.toml", () => {
  test("the selected provider's base URL is used for a login the CLI gives it", () => {
    const toml = `
      model_provider = "relay"
      [model_providers.relay]
      name = "Relay"
      base_url = "https://relay.test/v1"
      wire_api = "responses"
      requires_openai_auth = true
      [model_providers.other]
      base_url = "https://other.test"`
    expect(urlsOf(toml)).toEqual({
      urls: { codex: "https://relay.test/v1", "openai-api": "https://relay.test/v1" },
      says: [],
    })
  })

  test("a provider with a key of its own never gets the ChatGPT login", () => {
    const toml = `
      model_provider = "router"
      [model_providers.router]
      base_url = "https://router.test/v1"
      env_key = "ROUTER_KEY"`
    expect(urlsOf(toml)).toEqual({
      urls: {},
      says: [`${IGNORED}its provider "router" is not given a ChatGPT login (no requires_openai_auth)`],
    })
  })

  test.each(["", 'env_key = "OPENAI_API_KEY"'])("a provider without a key of its own gets the API key (%s)", line => {
    const toml = `model_provider = "relay"\n[model_providers.relay]\nbase_url = "https://relay.test/v1"\n${line}`
    expect(urlsOf(toml).urls).toEqual({ "openai-api": "https://relay.test/v1" })
  })

  test("what a ChatGPT login would lack is not told of a key that has it", () => {
    write("auth.json", '{"OPENAI_API_KEY":"sk-one"}')
    write("config.toml", 'model_provider = "relay"\n[model_providers.relay]\nbase_url = "https://relay.test/v1"')
    expect(open()).toMatchObject({
      sources: [{ terms: { baseUrls: { "openai-api": "https://relay.test/v1" } } }],
      notices: [],
    })
  })

  test.each(['experimental_bearer_token = "secret"', 'auth = { command = "print-token" }'])(
    "a provider with another secret gets neither (%s)",
    line => {
      const toml = `model_provider = "relay"\n[model_providers.relay]\nbase_url = "https://relay.test/v1"\n${line}`
      expect(urlsOf(toml).urls).toEqual({})
    },
  )

  test("the built-in provider has an override for each kind of login", () => {
    expect(urlsOf('chatgpt_base_url = "https://chat.test/backend-api/"')).toEqual({
      urls: { codex: "https://chat.test/backend-api/codex" },
      says: [],
    })
    expect(urlsOf('openai_base_url = "https://api.test/v1"\nchatgpt_base_url = "https://chat.test"').urls).toEqual({
      codex: "https://api.test/v1",
      "openai-api": "https://api.test/v1",
    })
  })

  test("the selected profile counts before the top of the file", () => {
    const toml = `
      model_provider = "a"
      profile = "work"
      [profiles.work]
      model_provider = "b"
      [model_providers.a]
      base_url = "https://a.test"
      requires_openai_auth = true
      [model_providers.b]
      base_url = "https://b.test"
      requires_openai_auth = true`
    expect(urlsOf(toml).urls?.codex).toBe("https://b.test")
  })

  test("without a file or without the keys nothing is changed", () => {
    expect(open().sources[0]?.terms.baseUrls).toEqual({})
    expect(urlsOf('model = "gpt-5.5"')).toEqual({ urls: {}, says: [] })
  })

  test.each([
    ["unknown", 'model_provider = "nobody"', 'it has no provider "nobody"'],
    ["without OpenAI login", 'model_provider = "ollama"', 'its provider "ollama" uses no OpenAI login'],
    [
      "without address",
      'model_provider = "relay"\n[model_providers.relay]\nname = "x"',
      'its provider "relay" has no base_url',
    ],
    [
      "with another kind of address",
      'openai_base_url = "ws://relay.test"',
      "its provider names a base URL that is no http or https address",
    ],
    [
      "that is this gateway",
      'model_provider = "here"\n[model_providers.here]\nbase_url = "http://localhost:8080/v1"\nrequires_openai_auth = true',
      "its provider names this gateway itself",
    ],
  ])("a provider %s is named, and auth.json alone counts", (_, toml, says) => {
    expect(urlsOf(toml)).toEqual({ urls: {}, says: [IGNORED + says] })
  })

  test("broken TOML is named without a word of it, and auth.json alone counts", () => {
    const { urls, says } = urlsOf("experimental_bearer_token = sk-secret value\n[model_providers")
    expect({ urls, says }).toEqual({ urls: {}, says: [`${IGNORED}it is not TOML`] })
  })

  test("a file that cannot be read is named", () => {
    mkdirSync(join(home.path, "config.toml"))
    const { notices } = open()
    expect(notices[0]?.message).toBe(`${IGNORED}it cannot be read (EISDIR)`)
  })
})
