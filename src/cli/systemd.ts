/** `sluice systemd`: prints a hardened service unit, or puts it in place. */

import { existsSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseArgs } from "node:util"

import { GatewayError } from "#core/errors.ts"

// Lies outside `src` because operators may also copy it by hand.
import unitTemplate from "../../config/sluice.service" with { type: "text" }
import type { Command, CommandIo } from "./command.ts"

const UNIT_PATH = "/etc/systemd/system/sluice.service"

const HELP = `sluice systemd [--install [--force]] [--binary PATH] [--config FILE] [--user NAME]

  Prints a systemd unit that runs \`sluice serve\` in a sandbox. Account files then belong in /var/lib/sluice/auths.

  --install       write it to ${UNIT_PATH} and say what comes next
  --force         replace a unit that is already there
  --binary PATH   the program to start (default: this one)
  --config FILE   start it with this configuration file
  --user NAME     run as this existing user instead of one that lives only while the service runs
`

/** What a unit is made for. Paths are absolute. */
export type UnitOptions = {
  readonly binary: string
  readonly config?: string
  readonly user?: string
}

/** Where the command finds and puts things; a test has its own. */
export type SystemdParts = { readonly unitPath: string; readonly binary: string }

/** Returns the unit's text for `options`. */
export function renderUnit(options: UnitOptions): string {
  const start = [options.binary, "serve", ...(options.config === undefined ? [] : ["--config", options.config])]
  const lines = String(unitTemplate)
    .split("\n")
    .flatMap(line => {
      if (line.startsWith("ExecStart=")) return [`ExecStart=${start.map(quoteWord).join(" ")}`]
      if (options.user === undefined) return [line]
      if (line.startsWith("# A user that exists")) return []
      return [line.startsWith("DynamicUser=") ? `User=${options.user}` : line]
    })
  return lines.join("\n")
}

/** Makes the `systemd` verb. */
export function makeSystemdCommand(parts: SystemdParts): Command {
  return {
    name: "systemd",
    summary: "print a hardened systemd unit, or install it",
    help: HELP,
    run: async (args, io) => {
      const flags = readFlags(args)
      if (flags.type === "wrong") return wrongUsage(io, flags.message)
      const binary = resolve(io.cwd, flags.binary ?? parts.binary)
      const { config, user } = flags
      const unit = renderUnit({
        binary,
        ...(config !== undefined && { config: resolve(io.cwd, config) }),
        ...(user !== undefined && { user }),
      })
      warnAboutHome([binary, ...(config === undefined ? [] : [resolve(io.cwd, config)])], io)
      if (!flags.install) io.stdout(unit)
      else install(unit, parts.unitPath, flags.force, io)
      return 0
    },
  }
}

/** The `systemd` verb of this machine. */
export const systemdCommand = makeSystemdCommand({
  unitPath: UNIT_PATH,
  // Run from source the program is Bun itself, which is not what a service should start.
  binary: Bun.isStandaloneExecutable ? process.execPath : "/usr/local/bin/sluice",
})

type Flags =
  | { readonly type: "wrong"; readonly message: string }
  | {
      readonly type: "flags"
      readonly install: boolean
      readonly force: boolean
      readonly binary: string | undefined
      readonly config: string | undefined
      readonly user: string | undefined
    }

function readFlags(args: readonly string[]): Flags {
  const text = { type: "string" } as const
  const toggle = { type: "boolean", default: false } as const
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { install: toggle, force: toggle, binary: text, config: text, user: text },
    })
    const { install, force, binary, config, user } = values
    if (user !== undefined && !/^[A-Za-z_][\w-]*\$?$/.test(user)) {
      return { type: "wrong", message: "--user: expected a user name" }
    }
    // Anything below a blank would end the line of the unit.
    if ([binary, config].some(path => path !== undefined && /\p{Cc}/u.test(path))) {
      return { type: "wrong", message: "a path with control characters cannot stand in a unit" }
    }
    return { type: "flags", install, force, binary, config, user }
  } catch (error) {
    // The parser's message names the flag at fault.
    return { type: "wrong", message: error instanceof Error ? error.message : String(error) }
  }
}

function install(unit: string, path: string, replace: boolean, io: CommandIo): void {
  if (!existsSync(dirname(path))) {
    throw new GatewayError("invalid-request", `${dirname(path)} does not exist, so systemd is not in use here.`, {
      hint: "`sluice systemd` without --install prints the unit.",
    })
  }
  try {
    writeFileSync(path, unit, { mode: 0o644, flag: replace ? "w" : "wx" })
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
    const hint = code === "EEXIST" ? "--force replaces it." : "Run it as root, for example with sudo."
    throw new GatewayError("invalid-request", `Cannot write ${path} (${code}).`, { hint, cause })
  }
  io.stdout(`wrote ${path}\n\n${NEXT_STEPS}`)
}

const NEXT_STEPS = `Next, as root:
  systemctl daemon-reload
  systemctl enable --now sluice
  install -m 600 my-account.json /var/lib/sluice/auths/
  chown --reference=/var/lib/sluice/auths /var/lib/sluice/auths/my-account.json
  journalctl -u sluice -f
`

function warnAboutHome(paths: readonly string[], io: CommandIo): void {
  for (const path of paths) {
    if (!/^\/(home|root|run\/user)\//.test(path)) continue
    io.stderr(`warning: the service cannot see ${path}, because home folders are hidden from it; move it elsewhere\n`)
  }
}

/** Quotes one word of a command line; `%` and `$` would be read as specifiers and variables. */
function quoteWord(word: string): string {
  const escaped = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$")
  return /^[\w./:@%+=,$-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice systemd: ${message}\n  \`sluice systemd --help\` shows how it is used.\n`)
  return 2
}
