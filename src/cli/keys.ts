/** `sluice keys`: shows which master key is in use and changes it. */

import { join, resolve } from "node:path"

import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import { KEY_FACT_NAMES, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import type { Config } from "#config/config.ts"
import { nearest } from "#config/edit-distance.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { peekMeta } from "#store/peek-meta.ts"

import type { Command, CommandIo } from "./command.ts"
import { keyPlace } from "./compose/key-place.ts"
import { type KeyRotation, rotateKey } from "./compose/rotate-key.ts"
import { configLoader } from "./config-loader.ts"

const HELP = `sluice keys show [--json] [--config FILE] [--<key> VALUE …]
sluice keys rotate-master [--new-key-file PATH] [--json] [--config FILE] [--<key> VALUE …]

  The master key encrypts the credentials in \`data-dir\`. It is never printed.

  show            says where the key is, its id, and the id that the database needs; exit code 1 when they differ
  rotate-master   encrypts everything with a new key. Stop the gateway first. The old key file is kept as
                  master.key.old until the gateway has started once

  --new-key-file PATH   use the key in this file; a new one is made there when the file does not exist
  --json                machine-readable output
  --config FILE         the configuration that names \`data-dir\` and the key
  --<key> VALUE         any setting, as for \`serve\`
`

const VERBS: readonly string[] = ["show", "rotate-master"]

/** The `keys` verb. */
export const keysCommand: Command = {
  name: "keys",
  summary: "show which master key encrypts the stored credentials, or change it",
  help: HELP,
  run: async (args, io) => {
    const [verb = "", ...rest] = args
    if (!VERBS.includes(verb)) return wrongUsage(io, unknownVerb(verb))
    const line = readCommandLine(rest, {
      "--json": "switch",
      ...(verb === "rotate-master" ? { "--new-key-file": "value" } : {}),
    })
    if (line.positionals.length > 0 && line.layer.problems.length === 0) return wrongUsage(io, "too many arguments")
    const result = await configLoader(line, io).load()
    if (result.type === "refused") {
      for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
      return 1
    }
    const { config } = result.loaded
    const slots = keyPlace(config, io.env)
    return verb === "show" ? show({ config, slots, line, io }) : rotate({ config, slots, line, io })
  },
}

type Call = {
  readonly config: Config
  readonly slots: KeySlots
  readonly line: CommandLine
  readonly io: CommandIo
}

async function show({ config, slots, line, io }: Call): Promise<number> {
  const key = await slots.read("current")
  const known = peekMeta(join(config.dataDir, "core.db"), KEY_FACT_NAMES)
  const { keyId: neededId } = readKeyFacts(name => known.get(name))
  const opens = neededId === undefined || neededId === key?.id
  if (line.own.has("--json")) {
    const { source, where } = slots
    io.stdout(`${JSON.stringify({ source, where, keyId: key?.id ?? null, databaseKeyId: neededId ?? null, opens })}\n`)
  } else {
    io.stdout(`source:    ${slots.source} (${slots.where})\n`)
    io.stdout(`key id:    ${key?.id ?? "none yet; the first start makes one"}\n`)
    io.stdout(`database:  ${neededId ?? "names none yet"}\n`)
    if (!opens) io.stderr("sluice keys: this key does not open the database\n")
  }
  return opens ? 0 : 1
}

async function rotate({ config, slots, line, io }: Call): Promise<number> {
  const given = line.own.get("--new-key-file")
  const newKeyFile = typeof given === "string" ? resolve(io.cwd, given) : undefined
  const rotation = await rotateKey({ dataDir: config.dataDir, slots, newKeyFile })
  if (line.own.has("--json"))
    io.stdout(`${JSON.stringify({ source: slots.source, where: slots.where, ...rotation })}\n`)
  else io.stdout(report(rotation, slots, newKeyFile))
  return 0
}

function report({ fromId, toId, credentials }: KeyRotation, slots: KeySlots, newKeyFile: string | undefined): string {
  const done = `${credentials} credentials are encrypted with the key ${toId} instead of ${fromId}.\n`
  if (!slots.isWritable) return `${done}Set ${slots.where} to the content of ${newKeyFile} before the next start.\n`
  return `${done}The new key is in place: ${slots.where}. The old one is kept until the gateway has started once.\n`
}

function unknownVerb(verb: string): string {
  const near = nearest(verb, VERBS)
  if (verb === "") return "expected show or rotate-master"
  return `there is no "${verb}"; ${near === undefined ? "expected show or rotate-master" : `did you mean "${near}"?`}`
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice keys: ${message}\n  \`sluice keys --help\` shows how it is used.\n`)
  return 2
}
