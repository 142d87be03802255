/** `sluice doctor`: checks what clients on this machine are told against a gateway that runs. */

import { homedir } from "node:os"
import { resolve } from "node:path"

import { nearest } from "#config/edit-distance.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"

import { askGateway, type Greeting } from "./clients/ask-gateway.ts"
import type { Client, Finding } from "./clients/client.ts"
import { CLIENTS } from "./clients/clients.ts"
import { gatewayOrigin } from "./clients/gateway-address.ts"
import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"
import { checkClient } from "./doctor/check-client.ts"

const NAMES = CLIENTS.map(client => client.name)

const HELP = `sluice doctor [--client NAME] [--gateway URL] [--home DIR] [--json] [--config FILE] [--<key> VALUE …]

  Reads the configuration of clients on this machine and checks it against a gateway that runs: is the address right and
  reachable, does the key work, is the model served, and does anything known stand in the way. Says what to change.
  Only the gateway is asked; no key is shown or sent anywhere else. Exit code 0 = nothing must change, 1 = something must.

  --client NAME   ${NAMES.join(", ")}
                  (default: every one of them that is found)
  --gateway URL   the gateway (default: the configured listen address on this machine)
  --home DIR      look for the clients' files below this folder
  --json          machine-readable output
  --config FILE   the configuration that names the listen address
  --<key> VALUE   any setting, as for \`serve\`; only \`listen\` matters here
`

/** What was found of one client. */
type Checked = { readonly client: Client; readonly files: readonly string[]; readonly findings: readonly Finding[] }

/** The `doctor` verb. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "check how clients on this machine are configured, against a gateway that runs",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, {
      "--client": "value",
      "--gateway": "value",
      "--home": "value",
      "--json": "switch",
    })
    const [problem] = line.layer.problems
    if (problem !== undefined) return wrongUsage(io, formatProblem(problem))
    if (line.positionals[0] !== undefined) {
      return wrongUsage(io, `unexpected argument "${line.positionals[0]}"; name a client with --client`)
    }
    const name = flagValue(line, "--client")
    const named = CLIENTS.find(client => client.name === name)
    if (name !== undefined && named === undefined) return wrongUsage(io, unknownClient(name))
    const result = await configLoader(line, io).load()
    if (result.type === "loaded") {
      return examine({ line, io, named, origin: gatewayOrigin(result.loaded.config, flagValue(line, "--gateway")) })
    }
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  },
}

type Examination = {
  readonly line: CommandLine
  readonly io: CommandIo
  /** Absent = all that are found. */
  readonly named: Client | undefined
  readonly origin: string
}

async function examine({ line, io, named, origin }: Examination): Promise<number> {
  const gateway = askGateway(origin, io.signal)
  const greeting = await gateway.greet()
  const home = flagValue(line, "--home")
  const homeGiven = home !== undefined
  const place = { home: homeGiven ? resolve(io.cwd, home) : homedir(), homeGiven, env: io.env, cwd: io.cwd }
  const checked: Checked[] = []
  for (const client of named === undefined ? CLIENTS : [named]) {
    const view = await client.view(place)
    if (named === undefined && !view.isFound) continue
    const isUp = greeting.type === "sluice"
    const findings = await checkClient(view, gateway, isUp)
    // Who goes to its vendor and was not asked about is most likely meant to.
    const isElsewhere = named === undefined && view.baseUrl === undefined
    checked.push({ client, files: view.files, findings: isElsewhere ? [notSetUp(client)] : findings })
  }
  const gatewayFinding = findingOf(greeting, origin)
  const all = [gatewayFinding, ...checked.flatMap(({ findings }) => findings)]
  const mustChange = all.some(({ status }) => status === "problem")
  if (line.own.has("--json")) {
    const clients = checked.map(({ client, files, findings }) => ({ client: client.name, files, findings }))
    io.stdout(
      `${JSON.stringify({ ok: !mustChange, gateway: { url: origin, ...gatewayFinding }, clients }, undefined, 2)}\n`,
    )
  } else io.stdout(report(origin, gatewayFinding, checked))
  return mustChange ? 1 : 0
}

function notSetUp({ name, setup }: Client): Finding {
  const text = "is here, but not told to use a gateway"
  return { status: "note", text, ...(setup !== undefined && { fix: `\`sluice setup ${name}\`, if it shall` }) }
}

function findingOf(greeting: Greeting, origin: string): Finding {
  switch (greeting.type) {
    case "sluice":
      return { status: "ok", text: `answers, with ${greeting.available} of ${greeting.total} accounts available` }
    case "other":
      return {
        status: "problem",
        text: `what answers at ${origin} is not Sluice: ${greeting.reason}`,
        fix: "name the gateway's address with --gateway URL",
      }
    case "silent":
      return {
        status: "problem",
        text: `${greeting.reason}; keys and models could not be checked`,
        fix: "start it with `sluice serve`, or name its address with --gateway URL",
      }
  }
}

function report(origin: string, gateway: Finding, checked: readonly Checked[]): string {
  const none = checked.length === 0 ? "\nNo client was found. --client NAME checks one by name.\n" : ""
  const parts = checked.map(({ client, findings }) => `\n${client.title}\n${findings.map(lineOf).join("")}`)
  return `Gateway ${origin}\n${lineOf(gateway)}${parts.join("")}${none}`
}

function lineOf({ status, text, fix }: Finding): string {
  const said = `  ${status.padEnd(7)}  ${text}\n`
  return fix === undefined ? said : `${said}           → ${fix}\n`
}

function flagValue(line: CommandLine, flag: `--${string}`): string | undefined {
  const value = line.own.get(flag)
  return typeof value === "string" ? value : undefined
}

function unknownClient(name: string): string {
  const near = nearest(name, NAMES)
  return `--client: there is no "${name}"; ${near === undefined ? `expected ${NAMES.join(", ")}` : `did you mean "${near}"?`}`
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice doctor: ${message}\n  \`sluice doctor --help\` shows how it is used.\n`)
  return 2
}
