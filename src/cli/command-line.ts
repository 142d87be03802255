/** From arguments to a command: help, version, and what to say to a typing error. */

import { nearest } from "#config/edit-distance.ts"
import { GatewayError } from "#core/errors.ts"

import type { Command, CommandIo } from "./command.ts"
import { COMMAND_NAMES, loadCommand, loadCommands } from "./commands.ts"
import { COMMIT, VERSION } from "./version.ts"

/** Runs one command line and returns its exit code. */
export async function runCommandLine(args: readonly string[], io: CommandIo): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") return showHelp(rest[0], io)
  if (verb === "--version" || verb === "-v" || verb === "version") return say(io, `sluice ${VERSION} (${COMMIT})\n`)
  // A bare flag means the main job: `sluice --config FILE`.
  const name = verb.startsWith("-") ? "serve" : verb
  const command = await loadCommand(name)
  if (command === undefined) return unknownCommand(verb, io)
  const commandArgs = verb.startsWith("-") ? args : rest
  if (commandArgs.includes("--help") || commandArgs.includes("-h")) {
    return say(io, command.helpFor?.(commandArgs) ?? command.help)
  }
  return runGuarded(command, commandArgs, io)
}

/** A failure that is expected says what to do next; anything else keeps its stack, because it is a bug. */
async function runGuarded(command: Command, args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await command.run(args, io)
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    io.stderr(`sluice ${command.name}: ${cause.message}\n`)
    if (cause.hint !== undefined) io.stderr(`  ${cause.hint}\n`)
    return 1
  }
}

async function showHelp(topic: string | undefined, io: CommandIo): Promise<number> {
  const command = topic === undefined ? undefined : await loadCommand(topic)
  return say(io, command === undefined ? overview(await loadCommands()) : command.help)
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(command => command.name.length))
  const lines = commands.map(command => `  ${command.name.padEnd(width)}  ${command.summary}`)
  return [
    `sluice ${VERSION}: your Codex accounts as one endpoint for OpenAI-compatible clients`,
    "",
    "Usage: sluice <command> [options]",
    "",
    ...lines,
    "",
    "  sluice <command> --help   says what a command does and which options it has",
    "  sluice --version          prints the version",
    "",
    "First steps: `sluice demo` shows it at work without any account;",
    "             `sluice login` signs an account in; `sluice serve` then serves it.",
    "",
  ].join("\n")
}

function unknownCommand(verb: string, io: CommandIo): number {
  const near = nearest(verb, COMMAND_NAMES)
  io.stderr(`sluice: there is no command "${verb}"${near === undefined ? "" : `; did you mean "${near}"?`}\n`)
  io.stderr("  `sluice --help` lists the commands.\n")
  return 2
}

function say(io: CommandIo, text: string): number {
  io.stdout(text)
  return 0
}
