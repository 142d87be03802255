/** The list of verbs. */

import type { Command } from "./command.ts"

/** Every verb in the order the help shows them; loaded when it is asked for, because `serve` should not wait for the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand,
  demo: async () => (await import("./demo.ts")).demoCommand,
  login: async () => (await import("./login.ts")).loginCommand,
  accounts: async () => (await import("./accounts.ts")).accountsCommand,
  requests: async () => (await import("./requests.ts")).requestsCommand,
  usage: async () => (await import("./usage.ts")).usageCommand,
  backup: async () => (await import("./backup.ts")).backupCommand,
  restore: async () => (await import("./restore.ts")).restoreCommand,
  config: async () => (await import("./config.ts")).configCommand,
  keys: async () => (await import("./keys.ts")).keysCommand,
  health: async () => (await import("./health.ts")).healthCommand,
  proxies: async () => (await import("./proxies.ts")).proxiesCommand,
  setup: async () => (await import("./setup.ts")).setupCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  systemd: async () => (await import("./systemd.ts")).systemdCommand,
  simulate: async () => (await import("./simulate.ts")).simulateCommand,
}

/** Loads every command, in the order of the help. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map(load => load()))
}

/** The verbs in the order of the help. */
export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS)

/** Loads the command of that name, if there is one. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.() : undefined
}
