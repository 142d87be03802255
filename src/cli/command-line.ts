/** From arguments to a command: the list of verbs, help, version, and what to say to a typing error. */

import { nearest } from "#config/edit-distance.ts"
import { GatewayError } from "#core/errors.ts"

import type { Command, CommandIo } from "./command.ts"
import { COMMIT, VERSION } from "./version.ts"

/** Every verb in the order the help shows them; loaded when it is asked for, because `serve` should not wait for the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand,
  demo: async () => (await import("./demo.ts")).demoCommand,
  config: async () => (await import("./config.ts")).configCommand,
  keys: async () => (await import("./keys.ts")).keysCommand,
  health: async () => (await import("./health.ts")).healthCommand,
  systemd: async () => (await import("./systemd.ts")).systemdCommand,
  simulate: async () => (await import("./simulate.ts")).simulateCommand,
}

/** Loads every command, in the order of the help. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map(load => load()))
}

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
  if (commandArgs.includes("--help") || commandArgs.includes("-h")) return say(io, command.help)
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

async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.() : undefined
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
    "             `sluice serve --auth-dir DIR` serves the accounts whose files lie in DIR.",
    "",
  ].join("\n")
}

function unknownCommand(verb: string, io: CommandIo): number {
  const near = nearest(verb, Object.keys(COMMANDS))
  io.stderr(`sluice: there is no command "${verb}"${near === undefined ? "" : `; did you mean "${near}"?`}\n`)
  io.stderr("  `sluice --help` lists the commands.\n")
  return 2
}

function say(io: CommandIo, text: string): number {
  io.stdout(text)
  return 0
}
