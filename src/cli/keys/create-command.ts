/** `sluice keys create` and `set`. */

import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "#cli/accounts/verb.ts"
import type { CreatedKey } from "#cli/admin/key-orders.ts"
import type { CommandIo } from "#cli/command.ts"
import { systemClock } from "#core/clock.ts"

import { KEY_FLAGS, KEY_FLAGS_HELP, NEW_KEY, orderOf } from "./key-flags.ts"

/** The key alone goes to the standard output, so that a script can take it; what to do with it is for people. */
export function sayCreated(io: CommandIo, { key, id, name }: CreatedKey): void {
  io.stdout(`${key}\n`)
  io.stderr(`${id} ${name}: this is its key. Note it down now, it is not shown again.\n`)
}

async function create(call: VerbCall): Promise<number> {
  const { line, io } = call
  const [name, ...more] = line.positionals
  if (name === undefined || more.length > 0) return wrongUsage(io, "create needs one name for the key", "keys")
  const order = { ...orderOf(line, NEW_KEY, systemClock()), name }
  const admin = await call.open()
  const created = await admin.keys.create(order, flagValue(line, "--key"))
  if (hasFlag(line, "--json")) sayJson(io, created)
  else sayCreated(io, created)
  return 0
}

async function set(call: VerbCall): Promise<number> {
  const { line, io } = call
  const [target, ...more] = line.positionals
  if (target === undefined || more.length > 0)
    return wrongUsage(io, "set needs one key: its id, name or prefix", "keys")
  const given = Object.keys({ ...KEY_FLAGS, "--name": "value" }).filter(flag => line.own.has(flag))
  if (given.length === 0) return wrongUsage(io, "set needs something to change, such as --limit rpm=60", "keys")
  const admin = await call.open()
  const before = await admin.keys.show(target)
  const name = flagValue(line, "--name")
  const order = { ...orderOf(line, before, systemClock()), ...(name !== undefined && { name }) }
  const changed = await admin.keys.change(before.id, order)
  if (hasFlag(line, "--json")) sayJson(io, changed)
  else io.stdout(`${changed.id} ${changed.name}: changed; ${changed.state} now\n`)
  return 0
}

/** `create`. */
export const createVerb: Verb = {
  command: "keys",
  help: `sluice keys create NAME [--key TEXT] [flags] [--json]

Makes a client key and prints it, once. The gateway stores only what it needs to know the key again.

  --key TEXT                      a text of your own, of 16 characters or more
${KEY_FLAGS_HELP}
${SHARED_HELP}`,
  flags: { ...KEY_FLAGS, "--key": "value" },
  run: create,
}

/** `set`. */
export const setVerb: Verb = {
  command: "keys",
  help: `sluice keys set KEY [--name TEXT] [flags] [--json]

Changes a key; what is not named stays. It counts for the next request.

  --name TEXT                     another name
${KEY_FLAGS_HELP}
${SHARED_HELP}`,
  flags: { ...KEY_FLAGS, "--name": "value" },
  run: set,
}
