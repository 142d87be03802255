/** `sluice setup`: writes a client's own configuration so that it uses the gateway, and takes that back. */

import { homedir } from "node:os"
import { resolve } from "node:path"

import { nearest } from "#config/edit-distance.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"

import type { Client, ClientPlace } from "./clients/client.ts"
import { CLIENTS } from "./clients/clients.ts"
import { gatewayOrigin } from "./clients/gateway-address.ts"
import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"
import { runSetup, type SetupClient } from "./setup/run-setup.ts"
import { runUndo } from "./setup/run-undo.ts"

const CAN_SETUP: readonly SetupClient[] = CLIENTS.flatMap(client => (canSetup(client) ? [client] : []))
const NAMES = CAN_SETUP.map(client => client.name)

const HELP = `sluice setup ${NAMES.join("|")} [--model NAME] [--key KEY|-] [--gateway URL] [--dry-run]
sluice setup ${NAMES.join("|")} --undo [--force] [--dry-run]

  Writes the client's own configuration so that it uses the gateway. What else stands in the files stays as it is, comments
  included. The original is kept beside each file (FILE.before-sluice), and --undo puts it back byte for byte. Running it
  again changes nothing. A running gateway is asked whether it takes the key and serves the model.

  --model NAME    the model to begin with (default: gpt-5.5; Claude Code and the Gemini CLI keep their own names)
  --key KEY       one of the gateway's api-keys; - reads it from a pipe (default: the first of the configuration).
                  It is written into the client's files and never printed
  --gateway URL   the gateway (default: the configured listen address on this machine)
  --dry-run       show what would change, keys masked, and change nothing
  --undo          put back what was there before the first setup; a file that did not exist is removed
  --force         with --undo: also where a file has been changed since (that version is kept as FILE.after-sluice);
                  without it: write although the gateway knows better
  --home DIR      the home whose files are meant (default: yours); variables such as CODEX_HOME then do not count
  --json          machine-readable output
  --config FILE   the configuration that names \`listen\` and \`api-keys\`
  --<key> VALUE   any setting, as for \`serve\`

  What is written: docs/setup.md. \`sluice doctor\` checks the result. Exit code 0 = done, 1 = failed, 2 = wrong usage.
`

/** The `setup` verb. */
export const setupCommand: Command = {
  name: "setup",
  summary: "point a client on this machine at the gateway, or undo that",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, {
      "--model": "value",
      "--key": "value",
      "--gateway": "value",
      "--home": "value",
      "--dry-run": "switch",
      "--undo": "switch",
      "--force": "switch",
      "--json": "switch",
    })
    const [problem] = line.layer.problems
    if (problem !== undefined) return wrongUsage(io, formatProblem(problem))
    const [name = "", extra] = line.positionals
    const client = CAN_SETUP.find(one => one.name === name)
    if (client === undefined) return wrongUsage(io, unknownClient(name))
    if (extra !== undefined) return wrongUsage(io, `unexpected argument "${extra}"`)
    const place = placeOf(line, io)
    return line.own.has("--undo") ? runUndo({ client, place, line, io }) : setUp({ client, place, line, io })
  },
}

function canSetup(client: Client): client is SetupClient {
  return client.setup !== undefined
}

function placeOf(line: CommandLine, io: CommandIo): ClientPlace {
  const home = line.own.get("--home")
  if (typeof home !== "string") return { home: homedir(), homeGiven: false, env: io.env, cwd: io.cwd }
  return { home: resolve(io.cwd, home), homeGiven: true, env: io.env, cwd: io.cwd }
}

type Call = {
  readonly client: SetupClient
  readonly place: ClientPlace
  readonly line: CommandLine
  readonly io: CommandIo
}

async function setUp({ client, place, line, io }: Call): Promise<number> {
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  }
  const { config } = result.loaded
  const given = (flag: string) => {
    const value = line.own.get(flag)
    return typeof value === "string" ? value : undefined
  }
  const key = given("--key")
  if (key === "-" && io.stdin.isTerminal) return wrongUsage(io, "--key -: pipe the key in, so that it is not shown")
  const origin = gatewayOrigin(config, given("--gateway"))
  const facts = {
    client,
    place,
    origin,
    givenKey: key === "-" ? (await io.stdin.text()).trim() : key,
    configuredKeys: config.apiKeys,
    givenModel: given("--model"),
    force: line.own.has("--force"),
    signal: io.signal,
  }
  return runSetup(facts, { io, dryRun: line.own.has("--dry-run"), json: line.own.has("--json") })
}

function unknownClient(name: string): string {
  if (name === "") return `say which client: ${NAMES.join(", ")}`
  const near = nearest(name, NAMES)
  return `there is no "${name}"; ${near === undefined ? `expected ${NAMES.join(", ")}` : `did you mean "${near}"?`}`
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice setup: ${message}\n  \`sluice setup --help\` shows how it is used.\n`)
  return 2
}
