/** `sluice setup` on homes of its own: what it writes, what it refuses, and the way back. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../../support/command-io.ts"
import { readFolder } from "../../../support/read-folder.ts"

const KEY = "sk-secret-of-this-test"
/** Nobody listens on the discard port. */
const GATEWAY = ["--gateway", "http://127.0.0.1:9"]

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sluice-setup-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

async function setup(args: readonly string[], given: Parameters<typeof recordIo>[0] = {}) {
  const { io, stdout, stderr } = recordIo({ cwd: home, ...given })
  const code = await runCommandLine(["setup", ...args], io)
  return { code, stdout: stdout(), stderr: stderr() }
}

function at(name: string, text?: string | Uint8Array): string {
  const path = join(home, name)
  mkdirSync(dirname(path), { recursive: true })
  if (text !== undefined) writeFileSync(path, text)
  return path
}

const here = () => ["--home", home]
const setUp = (client: string, ...more: readonly string[]) =>
  setup([client, ...here(), ...GATEWAY, "--key", KEY, ...more])

describe("files that did not exist", () => {
  test.each(["codex", "claude", "opencode", "gemini", "continue"])(
    "%s: are made for their owner alone and removed by --undo, folders included",
    async client => {
      expect((await setUp(client)).code).toBe(0)
      const made = readFolder(home)
      expect(made.length).toBeGreaterThan(1)
      expect(made.filter(line => !/ (600|700) /.test(line))).toEqual([])
      expect((await setup([client, ...here(), "--undo"])).stdout).toContain("removed")
      expect(readFolder(home)).toEqual([])
    },
  )

  test.if(process.getuid?.() === 0)("what root makes in somebody's home belongs to whose home it is", async () => {
    chownSync(home, 4711, 4712)
    await setUp("codex")
    const made = readdirSync(home, { recursive: true, encoding: "utf8" })
    expect(made).toHaveLength(5)
    expect(new Set(made.map(name => `${statSync(join(home, name)).uid}:${statSync(join(home, name)).gid}`))).toEqual(
      new Set(["4711:4712"]),
    )
  })

  test("a folder that has come into use meanwhile stays", async () => {
    await setUp("codex")
    at(".codex/history.jsonl", "{}\n")
    await setup(["codex", ...here(), "--undo"])
    expect(readFolder(home).map(line => line.split(" ")[0])).toEqual([".codex", ".codex/history.jsonl"])
  })
})

describe("what is printed", () => {
  test.each([[], ["--dry-run"], ["--json"], ["--json", "--dry-run"]])("never holds the key %p", async (...flags) => {
    for (const client of ["codex", "claude", "opencode", "gemini", "continue"]) {
      const { stdout, stderr, code } = await setUp(client, ...flags)
      expect({ code, holdsKey: `${stdout}${stderr}`.includes(KEY) }).toEqual({ code: 0, holdsKey: false })
    }
  })

  test("--dry-run shows the change without other people's secrets and touches nothing", async () => {
    at(
      ".claude/settings.json",
      `{\n  "env": {\n    "ANTHROPIC_AUTH_TOKEN": "real-token-of-mine",\n    "OTHER_SECRET": "hush-hush"\n  }\n}\n`,
    )
    const before = readFolder(home)
    const { stdout } = await setUp("claude", "--dry-run")
    expect(stdout).toContain('-     "ANTHROPIC_AUTH_TOKEN": "***",')
    expect(stdout).toContain('+     "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",')
    expect(stdout).not.toMatch(/real-token|hush/)
    expect(readFolder(home)).toEqual(before)
  })

  test("lines that stay show their names and nothing of their values", async () => {
    at(
      ".continue/config.yaml",
      'name: A\nhushed: [ "hush-1" ]\nversion: hush-2\nother: "hush-3"\nmodels: []\nplain: hush-4\n',
    )
    const { stdout } = await setUp("continue", "--dry-run")
    expect(stdout).toContain("other: ")
    expect(stdout).not.toContain("hush-")
  })

  test("a file with the key that others may read is a note", async () => {
    const path = at(".claude/settings.json", "{}\n")
    chmodSync(path, 0o644)
    expect((await setUp("claude")).stdout).toContain(`chmod 600 ${path}`)
    expect((await setUp("codex")).stdout).not.toContain("chmod")
  })

  test("--json names the files and what became of them", async () => {
    at(".gemini/.env", "A=1\n")
    expect(JSON.parse((await setUp("gemini", "--json")).stdout)).toMatchObject({
      client: "gemini",
      gateway: "http://127.0.0.1:9",
      dryRun: false,
      files: [
        { path: join(home, ".gemini/settings.json"), action: "created" },
        { path: join(home, ".gemini/.env"), action: "changed" },
      ],
    })
    expect(JSON.parse((await setup(["gemini", ...here(), "--undo", "--json"])).stdout)).toMatchObject({
      files: [{ action: "removed" }, { action: "restored" }],
    })
  })

  test("what still stands in the way afterwards is told", async () => {
    const { stdout } = await setup(["claude", ...here(), ...GATEWAY, "--key", KEY], {
      env: { HTTP_PROXY: "http://127.0.0.1:8", CLAUDE_CODE_USE_BEDROCK: "1" },
    })
    expect(stdout).toContain("CLAUDE_CODE_USE_BEDROCK is set")
    expect(stdout).toContain("export NO_PROXY=127.0.0.1")
  })
})

describe("a file that cannot be changed", () => {
  test.each([
    ["codex", ".codex/config.toml", "model = \n[x\n", "line 2: not readable as TOML"],
    ["codex", ".codex/config.toml", "a = 1\nb = 2\na = 3\n", "line 3"],
    [
      "claude",
      ".claude/settings.json",
      '{\n  // mine\n  "model": "opus"\n}\n',
      "line 2: not readable as JSON (this client",
    ],
    ["claude", ".claude/settings.json", '{"env": {"A": "b",}}', "line 1"],
    ["opencode", ".config/opencode/opencode.json", '{\n  "model": "a/b"\n  "x": 1\n}', "line 3"],
    ["opencode", ".config/opencode/opencode.json", "[]", "expected an object"],
    ["gemini", ".gemini/settings.json", '{ "security": ', "line 1"],
    ["continue", ".continue/config.yaml", "name: A\nmodels: [\n  - x\n", "not readable as YAML"],
    ["continue", ".continue/config.yaml", "- a\n- b\n", "expected a mapping"],
  ])("%s: broken %s is named with its line and stays as it is", async (client, name, text, said) => {
    const path = at(name, text)
    const before = readFolder(home)
    const { code, stderr } = await setUp(client)
    expect(code).toBe(1)
    expect(stderr).toContain(path)
    expect(stderr).toContain(said)
    expect(stderr).toContain("Nothing was changed")
    expect(readFolder(home)).toEqual(before)
  })

  test("bytes that are no text are refused", async () => {
    const path = at(".codex/config.toml", new Uint8Array([0x61, 0xff, 0xfe]))
    const { code, stderr } = await setUp("codex")
    expect(code).toBe(1)
    expect(stderr).toContain(`${path} is no text in UTF-8`)
  })

  test("a folder of that name is refused", async () => {
    mkdirSync(join(home, ".codex/config.toml"), { recursive: true })
    const { code, stderr } = await setUp("codex")
    expect(code).toBe(1)
    expect(stderr).toContain("cannot be read (EISDIR)")
  })

  test("a link to nothing is refused", async () => {
    symlinkSync(join(home, "gone.toml"), at(".codex/config.toml"))
    const { code, stderr } = await setUp("codex")
    expect(code).toBe(1)
    expect(stderr).toContain("is a link to a file that does not exist")
  })

  test.each([
    ["codex", ".codex/config.toml", 'model_providers = { other = { name = "O" } }\n'],
    ["codex", ".codex/config.toml", 'model_providers.sluice.name = "S"\n'],
    ["codex", ".codex/config.toml", '[[model_providers]]\nname = "O"\n'],
    ["continue", ".continue/config.yaml", "name: A\nmodels: here are none\n"],
  ])("%s: a form that no edit can change safely is left to its owner (%s %s)", async (client, name, text) => {
    at(name, text)
    const before = readFolder(home)
    const { code, stderr } = await setUp(client)
    expect(code).toBe(1)
    expect(stderr).toContain("cannot be changed safely")
    expect(readFolder(home)).toEqual(before)
  })
})

describe("--undo", () => {
  test("refuses a file that was changed since, and says what to do", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex")
    writeFileSync(path, `${readFileSync(path, "utf8")}# added later\n`)
    const before = readFolder(home)
    const { code, stderr } = await setup(["codex", ...here(), "--undo"])
    expect(code).toBe(1)
    expect(stderr).toContain(`${path} has been changed since it was set up`)
    expect(stderr).toContain("--force")
    expect(readFolder(home)).toEqual(before)
  })

  test("with --force restores the original and keeps the changed version", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex")
    writeFileSync(path, "# all different\n")
    expect((await setup(["codex", ...here(), "--undo", "--force"])).code).toBe(0)
    expect(readFileSync(path, "utf8")).toBe("# mine\n")
    expect(readFileSync(`${path}.after-sluice`, "utf8")).toBe("# all different\n")
  })

  test("does not drop what was changed between two setups", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex")
    writeFileSync(path, `${readFileSync(path, "utf8")}# added in between\n`)
    await setUp("codex", "--model", "gpt-6-sol")
    expect(readFileSync(path, "utf8")).toContain("# added in between")
    expect((await setup(["codex", ...here(), "--undo"])).code).toBe(1)
    expect(readFileSync(path, "utf8")).toContain("# added in between")
  })

  test("after two setups goes back to before the first one", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    const before = readFolder(home)
    await setUp("codex")
    await setUp("codex", "--model", "gpt-6-sol")
    expect(readFileSync(path, "utf8")).toContain('model = "gpt-6-sol"')
    expect((await setup(["codex", ...here(), "--undo"])).code).toBe(0)
    expect(readFolder(home)).toEqual(before)
  })

  test("refuses when the kept original is not what it was", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex")
    writeFileSync(`${path}.before-sluice`, "# tampered with\n")
    const { code, stderr } = await setup(["codex", ...here(), "--undo"])
    expect(code).toBe(1)
    expect(stderr).toContain("is not the original any more")
  })

  test("an undo that was cut short can be run again, and so can a setup after it", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    const before = readFolder(home)
    const cutShort = () => {
      writeFileSync(path, "# mine\n")
      rmSync(`${path}.before-sluice`)
    }
    await setUp("codex")
    cutShort()
    expect((await setup(["codex", ...here(), "--undo"])).code).toBe(0)
    expect(readFolder(home)).toEqual(before)
    await setUp("codex")
    cutShort()
    await setUp("codex")
    expect((await setup(["codex", ...here(), "--undo"])).code).toBe(0)
    expect(readFolder(home)).toEqual(before)
  })

  test("puts back a file that was removed since, when forced", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex")
    rmSync(path)
    expect((await setup(["codex", ...here(), "--undo"])).code).toBe(1)
    expect((await setup(["codex", ...here(), "--undo", "--force"])).code).toBe(0)
    expect(readFileSync(path, "utf8")).toBe("# mine\n")
  })

  test("says so where nothing was set up, and shows its plan with --dry-run", async () => {
    expect(await setup(["claude", ...here(), "--undo"])).toMatchObject({
      code: 0,
      stdout: "Claude Code: there is nothing to undo\n",
    })
    await setUp("claude")
    const before = readFolder(home)
    expect((await setup(["claude", ...here(), "--undo", "--dry-run"])).stdout).toContain("(nothing is changed)")
    expect(readFolder(home)).toEqual(before)
  })

  test("a link stays a link, and its target gets its bytes back", async () => {
    const target = at("dotfiles/config.toml", "# kept elsewhere\n")
    const path = at(".codex/config.toml")
    symlinkSync(target, path)
    await setUp("codex")
    expect(readFileSync(target, "utf8")).toContain("[model_providers.sluice]")
    await setup(["codex", ...here(), "--undo"])
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readFileSync(target, "utf8")).toBe("# kept elsewhere\n")
  })
})

describe("running it again", () => {
  test("keeps the model of an earlier setup and never overwrites the kept original", async () => {
    const path = at(".codex/config.toml", "# mine\n")
    await setUp("codex", "--model", "gpt-5.5-high")
    const kept = statSync(`${path}.before-sluice`)
    const { stdout } = await setUp("codex")
    expect(stdout).toContain("unchanged")
    expect(readFileSync(path, "utf8")).toContain('model = "gpt-5.5-high"')
    expect(statSync(`${path}.before-sluice`).mtimeMs).toBe(kept.mtimeMs)
    expect(readFileSync(`${path}.before-sluice`, "utf8")).toBe("# mine\n")
  })
})

describe("key and address", () => {
  test("come from the configuration where the command line names none", async () => {
    const env = { SLUICE_LISTEN: "0.0.0.0:9", SLUICE_API_KEYS: "sk-first,sk-second" }
    expect((await setup(["codex", ...here()], { env })).code).toBe(0)
    expect(readFileSync(join(home, ".codex/.env"), "utf8")).toBe("SLUICE_KEY=sk-first\n")
    expect(readFileSync(join(home, ".codex/config.toml"), "utf8")).toContain('base_url = "http://127.0.0.1:9/v1"')
  })

  test("a key may be piped in", async () => {
    const stdin = { isTerminal: false, text: async () => "sk-piped\n", keys: async function* () {} }
    expect((await setup(["codex", ...here(), ...GATEWAY, "--key", "-"], { stdin })).code).toBe(0)
    expect(readFileSync(join(home, ".codex/.env"), "utf8")).toBe("SLUICE_KEY=sk-piped\n")
  })

  test("a key is not asked for on a terminal, where it would be shown", async () => {
    const stdin = { isTerminal: true, text: async () => "sk-typed\n", keys: async function* () {} }
    expect((await setup(["codex", ...here(), ...GATEWAY, "--key", "-"], { stdin })).code).toBe(2)
  })

  test("a gateway of this machine without keys gets a word that says so; another machine's needs one", async () => {
    await setup(["codex", ...here(), ...GATEWAY])
    expect(readFileSync(join(home, ".codex/.env"), "utf8")).toBe("SLUICE_KEY=no-key-needed\n")
    const { code, stderr } = await setup(["claude", ...here(), "--gateway", "https://sluice.invalid"])
    expect(code).toBe(1)
    expect(stderr).toContain("No key is known for https://sluice.invalid")
    expect(existsSync(join(home, ".claude"))).toBe(false)
  })

  test("a way over which others can read the key is a note", async () => {
    const { stdout } = await setup(["claude", ...here(), "--gateway", "http://0.0.0.0:9", "--key", KEY])
    expect(stdout).toContain("note: http://0.0.0.0:9 is not encrypted")
  })

  test("an address with a question mark is refused, /v1 at its end is understood", async () => {
    expect((await setup(["codex", ...here(), "--gateway", "http://127.0.0.1:9/?a=b"])).stderr).toContain("--gateway")
    await setup(["codex", ...here(), "--gateway", "http://127.0.0.1:9/v1/"])
    expect(readFileSync(join(home, ".codex/config.toml"), "utf8")).toContain('base_url = "http://127.0.0.1:9/v1"')
  })

  test("variables that lead a client elsewhere count only for one's own home", async () => {
    const env = { CODEX_HOME: join(home, "elsewhere") }
    await setup(["codex", ...here(), ...GATEWAY], { env })
    expect(existsSync(env.CODEX_HOME)).toBe(false)
    await setup(["codex", ...GATEWAY], { env })
    expect(existsSync(join(env.CODEX_HOME, "config.toml"))).toBe(true)
  })
})

describe("a gateway that runs", () => {
  /** Answers as a gateway would that serves one model, or as something else altogether. */
  async function withServer(isSluice: boolean, work: (url: string) => Promise<void>): Promise<void> {
    const answers: Readonly<Record<string, object>> = {
      "/health": { status: "ok", available: 1, total: 1 },
      "/v1/models/catalog": { data: [{ id: "hidden-one", visibility: "hide" }, { id: "house-model" }] },
      "/v1/models/house-model": {},
      "/v1/models/house-model/info": { context_window: 9000 },
    }
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: request => {
        const answer = isSluice ? answers[new URL(request.url).pathname] : undefined
        return answer === undefined ? new Response("", { status: 404 }) : Response.json(answer)
      },
    })
    try {
      await work(server.url.origin)
    } finally {
      await server.stop(true)
    }
  }

  test("without the usual model gives its first one, with its window", () =>
    withServer(true, async url => {
      const { stdout } = await setup(["opencode", ...here(), "--gateway", url])
      expect(stdout).toContain("model house-model")
      const written = JSON.parse(readFileSync(join(home, ".config/opencode/opencode.json"), "utf8"))
      expect(written.model).toBe("sluice/house-model")
      expect(written.provider.sluice.models["house-model"].limit.context).toBe(9000)
    }))

  test("that is none stops the setup, unless forced", () =>
    withServer(false, async url => {
      const { code, stderr } = await setup(["claude", ...here(), "--gateway", url])
      expect(code).toBe(1)
      expect(stderr).toContain(`What answers at ${url} is not Sluice`)
      expect(existsSync(join(home, ".claude"))).toBe(false)
      expect((await setup(["claude", ...here(), "--gateway", url, "--force"])).code).toBe(0)
    }))
})

test.each([
  [["codx"], 'did you mean "codex"?'],
  [[], "say which client: codex, claude, opencode, gemini, continue"],
  [["aider"], "expected codex"],
  [["codex", "claude"], 'unexpected argument "claude"'],
  [["codex", "--modle", "x"], 'did you mean "--model"'],
])("wrong usage %p is exit code 2 and says what is right", async (args, said) => {
  const { code, stderr } = await setup(args)
  expect(code).toBe(2)
  expect(stderr).toContain(said)
})
