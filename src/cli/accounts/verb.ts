/** The contract of a verb of `sluice accounts` and `sluice keys`, and what every one of them begins and ends with. */

import type { AdminClient } from "#cli/admin/admin-client.ts"
import { openAdmin, readGatewayUrl } from "#cli/admin/open-admin.ts"
import type { CommandIo } from "#cli/command.ts"
import { configLoader } from "#cli/config-loader.ts"
import type { Config } from "#config/config.ts"
import { type CommandLine, type OwnFlags, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { GatewayError } from "#core/errors.ts"

/** One call of a verb. `line.positionals` are its own arguments. */
export type VerbCall = {
  readonly line: CommandLine
  readonly io: CommandIo
  /** Opens the way to the accounts once everything else is known to be right; closed when the verb ends. */
  readonly open: () => Promise<AdminClient>
}

/** One verb. */
export type Verb = {
  /** The command it belongs to; default `accounts`. */
  readonly command?: string
  /** The whole text of `sluice accounts <verb> --help`. */
  readonly help: string
  readonly flags: OwnFlags
  readonly run: (call: VerbCall) => Promise<number>
}

const SHARED_FLAGS: OwnFlags = { "--json": "switch", "--gateway": "value" }

/** What the help of every verb says at its end. */
export const SHARED_HELP = `  --json            machine-readable output
  --gateway URL     another machine's gateway; without it the one that runs on \`data-dir\`, and if none runs, this command
                    works on the folder itself
  --config FILE     the configuration that names \`data-dir\`, \`auth-dir\` and \`admin-key\`
  --<key> VALUE     any of its settings
`

/** Says what is wrong with the arguments of a command and returns the exit code for that. */
export function wrongUsage(io: CommandIo, message: string, command = "accounts"): 2 {
  io.stderr(`sluice ${command}: ${message}\n  \`sluice ${command} --help\` shows how it is used.\n`)
  return 2
}

/** True when the flag was given. */
export function hasFlag(line: CommandLine, flag: `--${string}`): boolean {
  return line.own.has(flag)
}

/** The value of a flag, if given. */
export function flagValue(line: CommandLine, flag: `--${string}`): string | undefined {
  const value = line.own.get(flag)
  return typeof value === "string" ? value : undefined
}

/** Prints a value for programs. */
export function sayJson(io: CommandIo, value: unknown): void {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Runs a verb of a command and returns its exit code: also 2 for wrong flags, 1 for a bad configuration and for Ctrl-C. */
export async function runVerb(
  verb: Verb,
  args: readonly string[],
  io: CommandIo,
  command = verb.command ?? "accounts",
): Promise<number> {
  const line = readCommandLine(args, { ...SHARED_FLAGS, ...verb.flags })
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrongUsage(io, formatProblem(problem), command)
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  }
  const { config } = result.loaded
  return runOpened(verb, line, { config, io, command })
}

type Opening = { readonly config: Config; readonly io: CommandIo; readonly command: string }

async function runOpened(verb: Verb, line: CommandLine, { config, io, command }: Opening): Promise<number> {
  const given = flagValue(line, "--gateway")
  const gateway = given === undefined ? undefined : readGatewayUrl(given)
  const opened: AdminClient[] = []
  const open = async () => {
    const client = await openAdmin({ config, io, gateway })
    opened.push(client)
    return client
  }
  try {
    return await verb.run({ line, io, open })
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind !== "cancelled") throw error
    io.stderr(`sluice ${command}: cancelled; what was done until then stays\n`)
    return 1
  } finally {
    for (const client of opened) await client.close()
  }
}
