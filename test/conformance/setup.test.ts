/** `sluice setup` and `sluice doctor` of the compiled binary with the real clients: set up, answered, undone. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

import { isJsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"

import { compiledBinary } from "../support/binary.ts"
import { conformanceClients } from "../support/conformance-clients.ts"
import { readFolder } from "../support/read-folder.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const QUESTION = "Say hello to marmalade"

/** A client with the files its user had before, and how it is asked; nothing here names a gateway. */
type RealClient = {
  readonly name: string
  readonly program: string
  readonly files: Readonly<Record<string, string>>
  /** Files a setup adds. */
  readonly added: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly answer: (stdout: string) => string
}

const CLIENTS: readonly RealClient[] = [
  {
    name: "codex",
    program: "codex",
    files: {
      ".codex/config.toml":
        "# quiet\nmodel = 'o9-mini' # old\ncheck_for_update_on_startup = false\n\n[analytics]\nenabled = false\n[features]\nplugins = false\napps = false",
    },
    added: [".codex/.env"],
    args: ["exec", "--json", "--skip-git-repo-check", QUESTION],
    env: {},
    answer: stdout => {
      const events = stdout.split("\n").map(line => parseJsonObject(line) ?? {})
      const item = events.map(event => objectAt(event, "item")).findLast(one => one?.["type"] === "agent_message")
      return item === undefined ? stdout : (stringAt(item, "text") ?? "")
    },
  },
  {
    name: "claude",
    program: "claude",
    files: {
      ".claude/settings.json": '{\n\t"env": {"DISABLE_AUTOUPDATER": "1"},\n\t"permissions": {"allow": ["Read"]}\n}',
    },
    added: [],
    args: ["-p", QUESTION, "--output-format", "json"],
    env: {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      // What is set up counts before what the shell says.
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
    },
    answer: stdout => {
      const report: unknown = JSON.parse(stdout)
      const result = Array.isArray(report) ? report.at(-1) : report
      return isJsonObject(result) ? (stringAt(result, "result") ?? "") : ""
    },
  },
  {
    name: "gemini",
    program: "gemini",
    files: {
      ".gemini/settings.json":
        '{\n  // mine\n  "general": { "enableAutoUpdate": false, "enableAutoUpdateNotification": false },\n  "privacy": { "usageStatisticsEnabled": false }\n}\n',
      ".gemini/.env": "GOOGLE_CLOUD_PROJECT=mine",
    },
    added: [],
    args: ["-p", QUESTION, "--output-format", "json"],
    env: { GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_CLI_NO_RELAUNCH: "true" },
    answer: stdout => stringAt(parseJsonObject(stdout) ?? {}, "response") ?? "",
  },
]

let gateway: SimulatedGateway
beforeAll(async () => {
  gateway = await startSimulatedGateway()
})
afterAll(() => gateway.stop())

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

async function run(command: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = Bun.spawn([...command], { cwd, env: { ...env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}

async function sluice(home: string, ...args: readonly string[]): Promise<Ran> {
  const env = { HOME: gateway.folder, PATH: "/usr/bin:/bin", NO_COLOR: "1" }
  return run([await compiledBinary(), ...args, "--home", home], home, env)
}

describe.each(CLIENTS)("the real $name", ({ name, program, files, added, args, env, answer }) => {
  test("answers after `sluice setup`, and has its own files back after --undo", async () => {
    const home = mkdtempSync(join(gateway.folder, `setup-${name}-`))
    const work = join(home, "work")
    mkdirSync(work)
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, file)), { recursive: true })
      writeFileSync(join(home, file), text)
      chmodSync(join(home, file), 0o644)
    }
    const target = ["--gateway", gateway.url]
    const setup = await sluice(home, "setup", name, ...target, "--key", gateway.key)
    expect(setup).toMatchObject({ code: 0, stderr: "" })
    expect(setup.stdout).not.toContain(gateway.key)

    const asked = await run([join(await conformanceClients(), "node_modules/.bin", program), ...args], work, {
      HOME: home,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      NO_COLOR: "1",
      TERM: "dumb",
      CI: "1",
      // Whatever it should want from elsewhere ends here.
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1",
      ...env,
    })
    expect(answer(asked.stdout)).toContain(QUESTION)
    expect(asked.code).toBe(0)

    const checked = await sluice(home, "doctor", "--client", name, ...target, "--json")
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true })
    expect(checked.code).toBe(0)

    expect(await sluice(home, "setup", name, "--undo")).toMatchObject({ code: 0, stderr: "" })
    for (const [file, text] of Object.entries(files)) {
      expect(readFileSync(join(home, file), "utf8")).toBe(text)
      expect(statSync(join(home, file)).mode & 0o777).toBe(0o644)
    }
    const left = readFolder(home).map(line => line.split(" ")[0] ?? "")
    expect(left.filter(path => added.includes(path) || /-sluice$|\.sluice-setup\.json$/.test(path))).toEqual([])
  })
})
