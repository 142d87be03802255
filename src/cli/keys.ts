/** `sluice keys`: client keys of the gateway, and the master key that encrypts what is stored. */

import { nearest } from "#config/edit-distance.ts"
import { type OwnFlags, readCommandLine } from "#config/flag-layer.ts"

import { runVerb, type Verb, wrongUsage } from "./accounts/verb.ts"
import type { Command } from "./command.ts"
import * as changes from "./keys/change-commands.ts"
import { createVerb, setVerb } from "./keys/create-command.ts"
import { KEY_FLAGS_HELP } from "./keys/key-flags.ts"
import { listVerb, showVerb, usageVerb } from "./keys/list-command.ts"
import { runMasterKeyVerb } from "./keys/master-key.ts"

const HELP = `sluice keys list
sluice keys show KEY …
sluice keys usage [KEY …]
sluice keys create NAME [--owner TEXT] [--limit NAME=NUMBER …] [--expires WHEN] …
sluice keys set KEY [--limit NAME=NUMBER …] …
sluice keys enable|disable|reset KEY …
sluice keys rotate KEY
sluice keys remove KEY … --yes

  Client keys let clients in. These are stored, with rights and limits of their own; those of \`api-keys\` stand in the
  configuration and have none. KEY is an id, a name or the first 8 characters.

  list      every stored key with its state and what it has used
  show      what a key may do, its limits and how full they are
  usage     the limits of every key, and how full they are
  create    makes a key and prints it: once, and never again
  set       name, owner, note, expiry, rights and limits
  enable    lets a key work again; disable stops it
  reset     sets back what a key has used
  rotate    gives a key another text; the old one opens nothing from then on
  remove    deletes a key

  For create and set:

  --key TEXT                      at create and rotate: a text of your own, of 16 characters or more
${KEY_FLAGS_HELP}
  \`sluice keys VERB --help\` says more. Every verb takes --json, --gateway URL and --config FILE.

sluice keys show [--json] [--config FILE] [--<key> VALUE …]
sluice keys rotate-master [--new-key-file PATH] [--json] [--config FILE] [--<key> VALUE …]

  The master key encrypts the credentials in \`data-dir\`. It is never printed.

  show            without a KEY says where the master key is, its id, and the id that the database needs; exit code 1
                  when they differ
  rotate-master   encrypts everything with a new key. Stop the gateway first. The old key file is kept as
                  master.key.old until the gateway has started once

  --new-key-file PATH   use the key in this file; a new one is made there when the file does not exist
  --json                machine-readable output
  --config FILE         the configuration that names \`data-dir\` and the key
  --<key> VALUE         any setting, as for \`serve\`

Exit code 0 = done, 1 = failed, 2 = wrong usage.
`

const VERBS: Readonly<Record<string, Verb>> = {
  list: listVerb,
  show: showVerb,
  usage: usageVerb,
  create: createVerb,
  set: setVerb,
  enable: changes.enableVerb,
  disable: changes.disableVerb,
  reset: changes.resetVerb,
  rotate: changes.rotateVerb,
  remove: changes.removeVerb,
}

const NAMES: readonly string[] = [...Object.keys(VERBS), "rotate-master"]

const MASTER_FLAGS: Readonly<Record<"show" | "rotate-master", OwnFlags>> = {
  show: { "--json": "switch", "--gateway": "value" },
  "rotate-master": { "--json": "switch", "--new-key-file": "value" },
}

function verbOf(name: string): Verb | undefined {
  return Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
}

/** The `keys` verb. */
export const keysCommand: Command = {
  name: "keys",
  summary: "client keys with rights and limits; the master key that encrypts what is stored",
  help: HELP,
  helpFor: ([name = ""]) => (name === "show" ? HELP : (verbOf(name)?.help ?? HELP)),
  run: async (args, io) => {
    const [name = "", ...rest] = args
    if (name === "show" || name === "rotate-master") {
      const line = readCommandLine(rest, MASTER_FLAGS[name])
      const isKeyNamed = line.positionals.length > 0
      if (name === "show" && isKeyNamed) return runVerb(showVerb, rest, io)
      if (isKeyNamed && line.layer.problems.length === 0) return wrongUsage(io, "too many arguments", "keys")
      return runMasterKeyVerb(name, line, io)
    }
    const verb = verbOf(name)
    if (verb !== undefined) return runVerb(verb, rest, io)
    return wrongUsage(io, unknownVerb(name), "keys")
  },
}

function unknownVerb(name: string): string {
  const near = nearest(name, NAMES)
  if (name === "") return `expected ${NAMES.join(", ")}`
  return `there is no "${name}"; ${near === undefined ? `expected ${NAMES.join(", ")}` : `did you mean "${near}"?`}`
}
