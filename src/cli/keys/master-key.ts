/** `sluice keys show` and `rotate-master`: which master key is in use, and another one instead. */

import { join, resolve } from "node:path"

import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import { KEY_FACT_NAMES, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import type { CommandIo } from "#cli/command.ts"
import { keyPlace } from "#cli/compose/key-place.ts"
import { type KeyRotation, rotateKey } from "#cli/compose/rotate-key.ts"
import { configLoader } from "#cli/config-loader.ts"
import type { Config } from "#config/config.ts"
import type { CommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { peekMeta } from "#store/peek-meta.ts"

/** Runs one of the two; the arguments have been read. */
export async function runMasterKeyVerb(
  verb: "show" | "rotate-master",
  line: CommandLine,
  io: CommandIo,
): Promise<number> {
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
    return 1
  }
  const { config } = result.loaded
  const slots = keyPlace(config, io.env)
  return verb === "show" ? show({ config, slots, line, io }) : rotate({ config, slots, line, io })
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
