/** `sluice simulate`: runs the simulated Codex backend by itself, for trying clients and gateways without any account. */

import { mkdir, writeFile } from "node:fs/promises"
import { resolve } from "node:path"

import { nearest } from "#config/edit-distance.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { SCENARIOS, type Scenario } from "#simulator/scripts/scenarios.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import type { Command, CommandIo } from "./command.ts"

const DEFAULT_PORT = 8790
const MAX_ACCOUNTS = 100_000
/** Enough that the usage windows move while somebody watches. */
const USE_PERCENT_PER_REQUEST = 0.2

const HELP = `sluice simulate [--host HOST] [--port PORT] [--accounts N] [--auth-dir DIR] [--scenario NAME] [--json]
sluice simulate --list [--json]

  Runs a pretended Codex backend: sign-in, models, usage and streamed answers. No model is behind it.

  --host HOST       interface to listen on (default 127.0.0.1)
  --port PORT       port to listen on; 0 = any free one (default ${DEFAULT_PORT})
  --accounts N      how many accounts it knows (default 3)
  --auth-dir DIR    writes one account file per account into DIR, ready for \`sluice serve --auth-dir DIR\`
  --scenario NAME   plays this scenario in every answer
  --list            lists the scenarios, each with a sentence
  --json            machine-readable output

  A prompt can name a scenario too: [[simulate: reset cut-after-events=3 times=1]]
  POST /__control steers a running simulator, GET /__recorded shows what it received.
`

const FLAGS = {
  "--host": "value",
  "--port": "value",
  "--accounts": "value",
  "--auth-dir": "value",
  "--scenario": "value",
  "--list": "switch",
  "--json": "switch",
} as const

/** The `simulate` verb. */
export const simulateCommand: Command = {
  name: "simulate",
  summary: "run a pretended Codex backend to try clients and gateways against",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, FLAGS)
    const wish = readWish(line)
    if (wish.type === "wrong") {
      io.stderr(`sluice simulate: ${wish.message}\n  \`sluice simulate --help\` shows how it is used.\n`)
      return 2
    }
    if (line.own.has("--list")) {
      io.stdout(line.own.has("--json") ? `${JSON.stringify(listForMachines())}\n` : listForPeople())
      return 0
    }
    return simulate(wish, io, line.own.has("--json"))
  },
}

type Wish = {
  readonly type: "run"
  readonly host: string
  readonly port: number
  readonly accounts: number
  readonly authDir: string | undefined
  readonly scenario: string | undefined
}

type WrongUsage = { readonly type: "wrong"; readonly message: string }

function readWish(line: CommandLine): Wish | WrongUsage {
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrong(formatProblem(problem))
  const [setting] = line.layer.settings
  if (setting !== undefined) return wrong(`settings of the gateway have no effect here (${setting.path})`)
  if (line.positionals[0] !== undefined) return wrong(`unexpected argument "${line.positionals[0]}"`)
  const port = readCount(line, "--port", DEFAULT_PORT)
  if (port === undefined || port > 65_535) return wrong("--port: expected a number from 0 to 65535")
  const accounts = readCount(line, "--accounts", 3)
  if (accounts === undefined || accounts < 1 || accounts > MAX_ACCOUNTS) {
    return wrong(`--accounts: expected a number from 1 to ${MAX_ACCOUNTS}`)
  }
  const scenario = textOf(line, "--scenario")
  if (scenario !== undefined && !SCENARIOS.some(one => one.name === scenario)) return unknownScenario(scenario)
  const host = textOf(line, "--host") ?? "127.0.0.1"
  return { type: "run", host, port, accounts, authDir: textOf(line, "--auth-dir"), scenario }
}

async function simulate(wish: Wish, io: CommandIo, asJson: boolean): Promise<number> {
  const simulator = startSimulator({ ...wish, usePercentPerRequest: USE_PERCENT_PER_REQUEST })
  try {
    if (wish.scenario !== undefined) simulator.control.script({ scenario: wish.scenario })
    const authDir = wish.authDir === undefined ? undefined : resolve(io.cwd, wish.authDir)
    if (authDir !== undefined) await writeAccountFiles(simulator, authDir)
    const facts = describe(simulator, wish, authDir)
    io.stdout(asJson ? `${JSON.stringify(facts)}\n` : startText(facts))
    await aborted(io.signal)
    return 0
  } finally {
    await simulator.stop()
  }
}

/** One file an account, readable by its owner alone, as real credentials would be kept. */
async function writeAccountFiles(simulator: Simulator, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const { name } of simulator.control.accounts()) {
    const text = `${JSON.stringify(simulator.control.accountFile(name), null, 2)}\n`
    await writeFile(resolve(directory, `simulated-${name}.json`), text, { mode: 0o600 })
  }
}

type StartFacts = ReturnType<typeof describe>

function describe(simulator: Simulator, wish: Wish, authDir: string | undefined) {
  const baseUrl = `${simulator.url}/backend-api/codex`
  return {
    simulator: true,
    url: simulator.url,
    baseUrl,
    publicBaseUrl: `${simulator.url}/v1`,
    apiKey: simulator.control.accounts()[0]?.apiKey ?? "",
    accounts: wish.accounts,
    authDir: authDir ?? null,
    scenario: wish.scenario ?? null,
    serve: `sluice serve --auth-dir ${quoted(authDir ?? "DIR")} --base-url ${baseUrl} --oauth-issuer ${simulator.url}`,
  }
}

function startText(facts: StartFacts): string {
  const rows = [
    "Sluice simulator: a pretended Codex backend. No model and no real account is behind it.",
    "",
    `  Codex backend   ${facts.baseUrl}`,
    `  public API      ${facts.publicBaseUrl}   (key ${facts.apiKey})`,
    `  accounts        ${facts.accounts}${facts.authDir === null ? "" : `, files in ${facts.authDir}`}`,
    ...(facts.scenario === null ? [] : [`  scenario        ${facts.scenario}`]),
    `  control         POST ${facts.url}/__control   GET ${facts.url}/__recorded`,
    "",
    `  ${facts.serve}`,
    ...(facts.authDir === null ? ["  (start with --auth-dir DIR to have the account files written)"] : []),
    "",
  ]
  return `${rows.join("\n")}\n`
}

function listForMachines(): readonly Pick<Scenario, "name" | "group" | "sentence">[] {
  return SCENARIOS.map(({ name, group, sentence }) => ({ name, group, sentence }))
}

function listForPeople(): string {
  const width = Math.max(...SCENARIOS.map(one => one.name.length))
  const headings = { answer: "What is answered", delivery: "How it travels", refusal: "Refusals" } as const
  const blocks = (["answer", "delivery", "refusal"] as const).map(group => {
    const lines = SCENARIOS.filter(one => one.group === group).map(
      one => `  ${one.name.padEnd(width)}  ${one.sentence}`,
    )
    return [headings[group], ...lines, ""].join("\n")
  })
  return `${blocks.join("\n")}\n`
}

function unknownScenario(name: string): WrongUsage {
  const near = nearest(
    name,
    SCENARIOS.map(one => one.name),
  )
  const hint = near === undefined ? "`--list` shows them" : `did you mean "${near}"?`
  return wrong(`--scenario: there is no scenario "${name}"; ${hint}`)
}

function textOf(line: CommandLine, flag: string): string | undefined {
  const value = line.own.get(flag)
  return typeof value === "string" ? value : undefined
}

function readCount(line: CommandLine, flag: string, standard: number): number | undefined {
  const text = textOf(line, flag)
  if (text === undefined) return standard
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** Shell quoting for a path that holds anything unusual. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

function wrong(message: string): WrongUsage {
  return { type: "wrong", message }
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve: done } = Promise.withResolvers<void>()
  if (signal.aborted) done()
  signal.addEventListener("abort", () => done(), { once: true })
  return promise
}
