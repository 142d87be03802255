/** `sluice keys enable`, `disable`, `reset`, `rotate` and `remove`. */

import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "#cli/accounts/verb.ts"
import type { KeyOrders } from "#cli/admin/key-orders.ts"
import type { KeyReport } from "#gateway/desk/key-report.ts"

import { sayCreated } from "./create-command.ts"

/** What one quick verb does and is called. */
type QuickFacts = {
  readonly name: string
  readonly what: string
  readonly past: string
  readonly order: (keys: KeyOrders, target: string) => Promise<KeyReport>
}

function quickVerb({ name, what, past, order }: QuickFacts): Verb {
  return {
    command: "keys",
    help: `sluice keys ${name} KEY … [--json]\n\n${what}\n\n${SHARED_HELP}`,
    flags: {},
    run: async ({ line, io, open }) => {
      if (line.positionals.length === 0) return wrongUsage(io, `${name} needs a key: its id, name or prefix`, "keys")
      const admin = await open()
      const done: KeyReport[] = []
      for (const target of line.positionals) done.push(await order(admin.keys, target))
      if (hasFlag(line, "--json")) sayJson(io, { keys: done })
      else for (const key of done) io.stdout(`${key.id} ${key.name}: ${past}; ${key.state} now\n`)
      return 0
    },
  }
}

/** `enable`. */
export const enableVerb = quickVerb({
  name: "enable",
  what: "Lets a disabled key work again.",
  past: "enabled",
  order: (keys, target) => keys.change(target, { enabled: true }),
})

/** `disable`. */
export const disableVerb = quickVerb({
  name: "disable",
  what: "Stops a key: its requests are refused with 403 until it is enabled. Those under way go on.",
  past: "disabled",
  order: (keys, target) => keys.change(target, { enabled: false }),
})

/** `reset`. */
export const resetVerb = quickVerb({
  name: "reset",
  what: "Sets back what a key has used, in every window and in all.",
  past: "set back",
  order: (keys, target) => keys.reset(target),
})

async function rotate(call: VerbCall): Promise<number> {
  const { line, io } = call
  const [target, ...more] = line.positionals
  if (target === undefined || more.length > 0) {
    return wrongUsage(io, "rotate needs one key: its id, name or prefix", "keys")
  }
  const admin = await call.open()
  const rotated = await admin.keys.rotate(target, flagValue(line, "--key"))
  if (hasFlag(line, "--json")) sayJson(io, rotated)
  else sayCreated(io, rotated)
  return 0
}

async function remove(call: VerbCall): Promise<number> {
  const { line, io } = call
  if (line.positionals.length === 0) return wrongUsage(io, "remove needs a key: its id, name or prefix", "keys")
  if (!hasFlag(line, "--yes")) {
    return wrongUsage(
      io,
      "nothing was deleted: add --yes; `sluice keys disable` stops a key and can be taken back",
      "keys",
    )
  }
  const admin = await call.open()
  const removed: string[] = []
  for (const target of line.positionals) removed.push(await admin.keys.remove(target))
  if (hasFlag(line, "--json")) sayJson(io, { removed })
  else for (const id of removed) io.stdout(`${id}: deleted\n`)
  return 0
}

/** `rotate`. */
export const rotateVerb: Verb = {
  command: "keys",
  help: `sluice keys rotate KEY [--key TEXT] [--json]

Gives a key another text and prints it, once. The old text opens nothing from then on; rights, limits and usage stay.

  --key TEXT        a text of your own, of 16 characters or more
${SHARED_HELP}`,
  flags: { "--key": "value" },
  run: rotate,
}

/** `remove`. */
export const removeVerb: Verb = {
  command: "keys",
  help: `sluice keys remove KEY … --yes [--json]

Deletes keys and what is known of their usage, for good. Nothing without --yes.

  --yes             really deletes
${SHARED_HELP}`,
  flags: { "--yes": "switch" },
  run: remove,
}
