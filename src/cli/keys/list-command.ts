/** `sluice keys list`, `show` and `usage`. */

import { hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "#cli/accounts/verb.ts"
import { systemClock } from "#core/clock.ts"
import type { KeyReport } from "#gateway/desk/key-report.ts"

import { keyBlock, keyTable, limitTable } from "./key-text.ts"

const NOTHING = "no client keys are stored yet: `sluice keys create NAME` makes one\n"

async function list(call: VerbCall): Promise<number> {
  const { line, io } = call
  if (line.positionals.length > 0) return wrongUsage(io, "list takes no key; `show` does", "keys")
  const admin = await call.open()
  const { keys, damaged } = await admin.keys.list()
  if (hasFlag(line, "--json")) sayJson(io, { where: admin.where, total: keys.length, keys, damaged })
  else io.stdout(keys.length === 0 ? NOTHING : keyTable(keys, systemClock()))
  for (const { id, name } of damaged) {
    io.stderr(`not readable: ${id} ${name}: its row was damaged; \`sluice keys remove ${id} --yes\` deletes it\n`)
  }
  return 0
}

async function named(call: VerbCall): Promise<readonly KeyReport[]> {
  const admin = await call.open()
  const keys: KeyReport[] = []
  for (const name of call.line.positionals) keys.push(await admin.keys.show(name))
  return keys
}

async function show(call: VerbCall): Promise<number> {
  const keys = await named(call)
  if (hasFlag(call.line, "--json")) sayJson(call.io, { keys })
  else call.io.stdout(keys.map(key => keyBlock(key, systemClock())).join("\n"))
  return 0
}

async function usage(call: VerbCall): Promise<number> {
  const { line, io } = call
  const keys = line.positionals.length > 0 ? await named(call) : (await (await call.open()).keys.list()).keys
  if (hasFlag(line, "--json")) {
    const rows = keys.map(({ id, name, usage: used, standing }) => ({ id, name, usage: used, limits: standing }))
    sayJson(io, { keys: rows })
  } else io.stdout(keys.length === 0 ? NOTHING : limitTable(keys))
  return 0
}

/** `list`. */
export const listVerb: Verb = {
  command: "keys",
  help: `sluice keys list [--json]

Every stored client key: id, first characters, name, owner, state, when it expires and was last used, what it has used.

${SHARED_HELP}`,
  flags: {},
  run: list,
}

/** `show`, when it names a key. */
export const showVerb: Verb = {
  command: "keys",
  help: `sluice keys show KEY … [--json]

What a key may do, its limits and how full they are. KEY is an id, a name or the first 8 characters.

${SHARED_HELP}`,
  flags: {},
  run: show,
}

/** `usage`. */
export const usageVerb: Verb = {
  command: "keys",
  help: `sluice keys usage [KEY …] [--json]

The limits of these keys, or of all, and how full they are. What is held belongs to requests under way.

${SHARED_HELP}`,
  flags: {},
  run: usage,
}
