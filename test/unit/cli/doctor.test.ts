/** `sluice doctor` against a whole gateway in this process: a test for each thing it finds. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

import { doctorCommand } from "#cli/doctor.ts"
import { setupCommand } from "#cli/setup.ts"

import { recordIo } from "../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../support/in-process-gateway.ts"

type Finding = { readonly status: string; readonly text: string; readonly fix?: string }

let gateway: InProcessGateway
let url = ""
let key = ""
let home = ""
beforeAll(async () => {
  gateway = await startInProcessGateway({ files: 1 })
  url = gateway.url.replace(/\/$/, "")
  key = gateway.clientKey
})
afterAll(() => gateway.stop())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sluice-doctor-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

type Env = Readonly<Record<string, string>>

async function doctor(args: readonly string[], env: Env = {}, cwd = home) {
  const { io, stdout, stderr } = recordIo({ cwd, env })
  const code = await doctorCommand.run(["--home", home, "--gateway", url, ...args], io)
  expect(`${stdout()}${stderr()}`).not.toContain(key)
  return { code, stdout: stdout(), stderr: stderr() }
}

/** The findings about one client, and the exit code. */
async function check(client: string, env: Env = {}, cwd = home) {
  const { code, stdout } = await doctor(["--client", client, "--json"], env, cwd)
  const report = JSON.parse(stdout)
  const findings: readonly Finding[] = report.clients[0].findings
  return { code, findings, problems: findings.filter(({ status }) => status === "problem"), report }
}

async function setUp(client: string, ...more: readonly string[]): Promise<void> {
  const { io } = recordIo({ cwd: home })
  expect(await setupCommand.run([client, "--home", home, "--gateway", url, "--key", key, ...more], io)).toBe(0)
}

function at(name: string, text: string): string {
  const path = join(home, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const codex = (lines: string, provider = "") =>
  at(".codex/config.toml", `${lines}\nmodel_provider = "gw"\n[model_providers.gw]\nname = "gw"\n${provider}\n`)
const codexAt = (base: string) =>
  codex('model = "gpt-5.5"', `base_url = "${base}"\nexperimental_bearer_token = "${key}"`)
const claude = (env: Env, more: object = {}) => at(".claude/settings.json", JSON.stringify({ env, ...more }))
const claudeHere = () => ({
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_AUTH_TOKEN: key,
  CLAUDE_CODE_AUTO_COMPACT_WINDOW: "272000",
})

describe("what setup has written", () => {
  test.each(["codex", "claude", "opencode", "gemini", "continue"])("%s: is found right", async client => {
    await setUp(client)
    const { code, problems, findings } = await check(client)
    expect(problems).toEqual([])
    expect(findings.filter(({ status }) => status === "ok").length).toBeGreaterThanOrEqual(3)
    expect(code).toBe(0)
  })

  test("is listed for every client that is found when none is named", async () => {
    await setUp("codex")
    await setUp("continue")
    at(".gemini/settings.json", "{}")
    const { code, stdout } = await doctor([])
    expect(code).toBe(0)
    expect(stdout).toContain(`Gateway ${url}\n  ok       answers, with 1 of 1 accounts available\n`)
    expect(stdout).toMatch(
      /\nCodex CLI\n {2}ok .*\n.*\n.*\n\nGemini CLI\n {2}note .*\n.*sluice setup gemini.*\n\nContinue\n/,
    )
    expect(stdout).not.toContain("Claude Code")
  })

  test("setup asks the running gateway: a wrong key and an unknown model change nothing", async () => {
    const { io } = recordIo({ cwd: home })
    const run = (...args: readonly string[]) =>
      setupCommand.run(["codex", "--home", home, "--gateway", url, ...args], io)
    await expect(run("--key", "sk-wrong")).rejects.toThrow("does not take this key")
    await expect(run("--key", key, "--model", "gpt-5.55")).rejects.toMatchObject({
      hint: expect.stringContaining("gpt-5.5"),
    })
    expect((await doctor(["--client", "codex"])).code).toBe(1)
  })
})

describe("the address", () => {
  test("a gateway that does not run is one problem, and nothing else is asked", async () => {
    await setUp("codex")
    const { io, stdout } = recordIo({ cwd: home })
    expect(await doctorCommand.run(["--client", "codex", "--home", home, "--gateway", "http://127.0.0.1:9"], io)).toBe(
      1,
    )
    expect(stdout()).toContain("nothing listens there")
    expect(stdout()).toContain("→ start it with `sluice serve`")
    expect(stdout()).not.toContain("the key")
  })

  test("something else at the address is told from Sluice", async () => {
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") })
    try {
      const { io, stdout } = recordIo({ cwd: home })
      expect(await doctorCommand.run(["--home", home, "--gateway", other.url.href], io)).toBe(1)
      expect(stdout()).toContain("is not Sluice: /health answered 200 without JSON")
    } finally {
      await other.stop(true)
    }
  })

  test("a base URL that leads elsewhere is a problem, and the key is not tried", async () => {
    codexAt("https://api.example.invalid/v1")
    const { problems, findings } = await check("codex")
    expect(problems).toHaveLength(1)
    expect(problems[0]?.text).toContain(`leads to https://api.example.invalid/v1, not to the gateway at ${url}`)
    expect(problems[0]?.fix).toContain(`base_url = "${url}/v1"`)
    expect(findings).toHaveLength(1)
  })

  test("no base URL at all", async () => {
    at(".claude/settings.json", "{}")
    const { problems } = await check("claude")
    expect(problems[0]?.text).toContain("no base URL is set")
    expect(problems[0]?.fix).toContain(`"ANTHROPIC_BASE_URL": "${url}"`)
  })

  test("localhost and 127.0.0.1 are the same gateway, and one slash at the end does no harm", async () => {
    codexAt(`${url.replace("127.0.0.1", "localhost")}/v1/`)
    expect((await check("codex")).problems).toEqual([])
  })

  test.each([
    ["codex", "/v1/responses", 'ends with "/v1/responses", expected "/v1"'],
    ["codex", "/v1//", 'ends with "/v1/", expected "/v1"'],
    ["codex", "/v1?team=a", 'ends with "?team=a"'],
    ["claude", "/v1", 'ends with "/v1"; this client adds the version itself'],
    ["gemini", "/v1beta", 'ends with "/v1beta"; this client adds the version itself'],
  ])("%s with %s: the wrong ending is named", async (client, ending, said) => {
    if (client === "codex") codexAt(`${url}${ending}`)
    if (client === "claude") claude({ ...claudeHere(), ANTHROPIC_BASE_URL: `${url}${ending}` })
    if (client === "gemini") {
      await setUp("gemini")
      at(".gemini/.env", `GEMINI_API_KEY=${key}\nGOOGLE_GEMINI_BASE_URL=${url}${ending}\n`)
    }
    const { code, problems } = await check(client)
    expect(code).toBe(1)
    expect(problems).toHaveLength(1)
    expect(problems[0]?.text).toContain(said)
    expect(problems[0]?.fix).toContain(url)
  })

  test("words that are no address", async () => {
    codexAt("127.0.0.1:8080/v1")
    expect((await check("codex")).problems[0]?.text).toContain("is no http address")
  })
})

describe("the key", () => {
  test("one the gateway does not know", async () => {
    claude({ ...claudeHere(), ANTHROPIC_AUTH_TOKEN: "sk-other" })
    const { code, problems } = await check("claude")
    expect(code).toBe(1)
    expect(problems.map(({ text }) => text)).toEqual([expect.stringContaining("does not know the key")])
    expect(problems[0]?.fix).toContain("ANTHROPIC_AUTH_TOKEN")
  })

  test("none where one is needed: the variable of the provider is not set", async () => {
    codex('model = "gpt-5.5"', `base_url = "${url}/v1"\nenv_key = "SLUICE_KEY"`)
    const { problems } = await check("codex")
    expect(problems.map(({ text }) => text)).toEqual(["no key is set"])
    expect(problems[0]?.fix).toContain(`${join(home, ".codex/.env")}: SLUICE_KEY=…`)
    expect((await check("codex", { SLUICE_KEY: key })).problems).toEqual([])
  })

  test("one with a blank in it", async () => {
    claude({ ...claudeHere(), ANTHROPIC_AUTH_TOKEN: "sk with blank" })
    expect((await check("claude")).problems[0]?.text).toContain("characters that no request can carry")
  })
})

describe("the model", () => {
  test("one that is not served is named with the nearest", async () => {
    codex('model = "gpt-5.55"', `base_url = "${url}/v1"\nexperimental_bearer_token = "${key}"`)
    const { code, problems } = await check("codex")
    expect(code).toBe(1)
    expect(problems).toHaveLength(1)
    expect(problems[0]?.text).toMatch(/the model gpt-5\.55 is not served; near to it: gpt-5\.5,/)
    expect(problems[0]?.fix).toContain('model = "gpt-5.5"')
  })

  test("suffixes and other vendors' names are served", async () => {
    claude({ ...claudeHere(), ANTHROPIC_DEFAULT_HAIKU_MODEL: "gpt-5.5-low" }, { model: "claude-sonnet-4-5" })
    expect((await check("claude")).findings.map(({ text }) => text).slice(-2)).toEqual([
      expect.stringContaining("model claude-sonnet-4-5 is served"),
      expect.stringContaining("model gpt-5.5-low is served"),
    ])
  })

  test("opencode: one that its provider does not list, and one without a provider", async () => {
    await setUp("opencode")
    const path = join(home, ".config/opencode/opencode.json")
    const text = await Bun.file(path).text()
    await Bun.write(path, text.replace('"sluice/gpt-5.5"', '"sluice/gpt-6-sol"'))
    expect((await check("opencode")).problems[0]?.text).toContain("gpt-6-sol is chosen but not listed")
    await Bun.write(path, text.replace('"sluice/gpt-5.5"', '"gpt-5.5"'))
    expect((await check("opencode")).problems[0]?.text).toContain("names no provider")
  })
})

describe("what stands in the way", () => {
  test.each([
    ["codex", "HTTP_PROXY", 1],
    ["codex", "HTTPS_PROXY", 0],
    ["claude", "HTTPS_PROXY", 1],
    ["gemini", "https_proxy", 1],
    ["opencode", "HTTP_PROXY", 1],
    ["continue", "http_proxy", 1],
  ])("%s: a proxy in %s", async (client, variable, count) => {
    await setUp(client)
    const env = { [variable]: "http://127.0.0.1:8" }
    const { problems } = await check(client, env)
    expect(problems.map(({ fix }) => fix)).toEqual(count === 0 ? [] : ["export NO_PROXY=127.0.0.1"])
    expect((await check(client, { ...env, NO_PROXY: "example.com, 127.0.0.1" })).problems).toEqual([])
    expect((await check(client, { ...env, no_proxy: "*" })).problems).toEqual([])
    const other = await check(client, { ...env, NO_PROXY: "27.0.0.1" })
    expect(other.problems.map(({ fix }) => fix)).toEqual(count === 0 ? [] : ["export NO_PROXY=27.0.0.1,127.0.0.1"])
  })

  test("a file the client cannot read either", async () => {
    at(".codex/config.toml", "model = [\n")
    const { code, problems } = await check("codex")
    expect(code).toBe(1)
    expect(problems[0]?.text).toContain("not readable as TOML")
  })

  test("codex: OPENAI_BASE_URL, which it ignores", async () => {
    at(".codex/config.toml", 'model = "gpt-5.5"\n')
    const { problems } = await check("codex", { OPENAI_BASE_URL: `${url}/v1` })
    expect(problems[0]?.text).toContain("the Codex CLI ignores it")
  })

  test("codex: a wire_api other than responses, and a provider that is not defined", async () => {
    codex('model = "gpt-5.5"', `base_url = "${url}/v1"\nexperimental_bearer_token = "${key}"\nwire_api = "chat"`)
    expect((await check("codex")).problems.map(({ fix }) => fix)).toEqual([
      expect.stringContaining('[model_providers.gw]: wire_api = "responses"'),
    ])
    at(".codex/config.toml", 'model_provider = "gone"\n')
    expect((await check("codex")).problems[0]?.text).toContain('model_provider "gone" is not defined')
  })

  test("codex: a profile that leads elsewhere counts", async () => {
    await setUp("codex")
    const path = join(home, ".codex/config.toml")
    const text = await Bun.file(path).text()
    await Bun.write(path, `profile = "deep"\n${text}\n[profiles.deep]\nmodel = "gpt-9"\n`)
    expect((await check("codex")).problems[0]?.text).toContain("the model gpt-9 is not served")
    const other = '[model_providers.o]\nname = "O"\nbase_url = "https://o.example.invalid/v1"\n'
    await Bun.write(path, `profile = "deep"\n${text}\n[profiles.deep]\nmodel_provider = "o"\n${other}`)
    const { problems } = await check("codex")
    expect(problems[0]?.text).toContain("leads to https://o.example.invalid/v1")
    expect(problems[0]?.fix).toBe(`in ${path}: [profiles.deep]: model_provider = "sluice"`)
  })

  test("claude: token and key together are a note, a road to another vendor is a problem", async () => {
    claude({ ...claudeHere(), CLAUDE_CODE_USE_VERTEX: "1" })
    const { findings } = await check("claude", { ANTHROPIC_API_KEY: "sk-theirs" })
    expect(findings.map(({ status, text }) => `${status}: ${text}`)).toEqual([
      expect.stringContaining("problem: CLAUDE_CODE_USE_VERTEX is set"),
      expect.stringContaining("note: ANTHROPIC_API_KEY is set beside ANTHROPIC_AUTH_TOKEN"),
      expect.stringContaining("ok: base URL"),
      expect.stringContaining("ok: the key works"),
      expect.stringContaining("ok: model"),
    ])
  })

  test("claude: a key that it asks about first, and no window, are notes", async () => {
    claude({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key })
    const { code, findings } = await check("claude")
    expect(code).toBe(0)
    expect(findings.filter(({ status }) => status === "note").map(({ text }) => text)).toEqual([
      expect.stringContaining("ANTHROPIC_API_KEY counts only after"),
      expect.stringContaining("CLAUDE_CODE_AUTO_COMPACT_WINDOW is not set"),
    ])
  })

  test("claude: the settings file counts before the shell, a project's file before both", async () => {
    claude(claudeHere())
    expect((await check("claude", { ANTHROPIC_BASE_URL: "https://api.example.invalid" })).problems).toEqual([])
    const path = at("work/.claude/settings.json", '{"env":{"ANTHROPIC_BASE_URL":"https://api.example.invalid"}}')
    const { problems } = await check("claude", {}, join(home, "work"))
    expect(problems[0]?.text).toContain("leads to https://api.example.invalid")
    expect(problems[0]?.fix).toContain(path)
  })

  test("gemini: another way to sign in", async () => {
    await setUp("gemini")
    at(".gemini/settings.json", '{"security":{"auth":{"selectedType":"oauth-personal"}}}')
    const { problems } = await check("gemini")
    expect(problems[0]?.text).toContain('the way to sign in is "oauth-personal"')
  })

  test("gemini: a project's .env that is read instead of one's own", async () => {
    await setUp("gemini")
    const path = at("work/.env", "DEBUG=1\n")
    const { problems } = await check("gemini", {}, join(home, "work"))
    expect(problems[0]?.text).toContain(`${path} is read instead of`)
  })

  test("gemini: a folder that is not trusted is a note until it is", async () => {
    await setUp("gemini")
    const notes = async () => (await check("gemini")).findings.filter(({ status }) => status === "note")
    expect((await notes())[0]?.text).toContain("does not trust")
    at(".gemini/trustedFolders.json", JSON.stringify({ [home]: "TRUST_FOLDER" }))
    expect(await notes()).toEqual([])
  })

  test("continue: the provider gemini, which ignores apiBase, and an entry that is not the first", async () => {
    const entry = `provider: gemini\n    model: gpt-5.5\n    apiBase: ${url}/v1\n    apiKey: ${key}\n`
    at(".continue/config.yaml", `name: A\nversion: 0.0.1\nmodels:\n  - name: One\n    ${entry}`)
    expect((await check("continue")).problems[0]?.text).toContain("ignores apiBase")
    const ours = `  - name: Sluice\n    ${entry.replace("gemini", "openai")}`
    at(".continue/config.yaml", `name: A\nversion: 0.0.1\nmodels:\n  - name: One\n    ${entry}${ours}`)
    const { findings } = await check("continue")
    expect(findings.find(({ status }) => status === "note")?.text).toContain("is number 2 of models")
  })

  test("openai: the variable of an older library, and the right one", async () => {
    const wrong = await check("openai", { OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: key })
    expect(wrong.problems[0]?.fix).toBe(`export OPENAI_BASE_URL=${url}/v1`)
    const right = await check("openai", { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: "gpt-5.5" })
    expect(right).toMatchObject({ code: 0, problems: [] })
    expect(right.findings).toHaveLength(3)
  })

  test("anthropic, genai and aider are read from the environment", async () => {
    expect((await check("anthropic", { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key })).code).toBe(0)
    const vertex = { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: key, GOOGLE_GENAI_USE_VERTEXAI: "true" }
    expect((await check("genai", vertex)).problems[0]?.fix).toBe("unset GOOGLE_GENAI_USE_VERTEXAI")
    const aider = { OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: key, AIDER_MODEL: "gpt-5.5" }
    expect((await check("aider", aider)).problems[0]?.fix).toBe("export AIDER_MODEL=openai/gpt-5.5")
  })
})

test.each([
  [["--client", "claud"], 'did you mean "claude"?'],
  [["codex"], "name a client with --client"],
  [["--clinet", "codex"], 'did you mean "--client"?'],
])("wrong usage %p is exit code 2 and says what is right", async (args, said) => {
  const { io, stderr } = recordIo({ cwd: home })
  expect(await doctorCommand.run(args, io)).toBe(2)
  expect(stderr()).toContain(said)
})
