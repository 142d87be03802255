/** `sluice proxies`: the operators' proxies, which account goes out through which, and whether they work. */

import { nearest } from "#config/edit-distance.ts"

import { runVerb, SHARED_HELP, type Verb, wrongUsage } from "./accounts/verb.ts"
import type { Command } from "./command.ts"
import { assignmentsVerb, assignVerb } from "./proxies/assign-verb.ts"
import { exportVerb, importVerb } from "./proxies/list-verbs.ts"
import * as pool from "./proxies/pool-verbs.ts"
import { TEST_HELP, testWays } from "./proxies/test-ways.ts"

const HELP = `sluice proxies list
sluice proxies add ADDRESS [--name NAME] [--region TEXT] [--max-concurrent N]
sluice proxies remove PROXY … --yes
sluice proxies enable|disable PROXY …
sluice proxies assign ACCOUNT … | --all --to WAY[,WAY …] [--dry-run] [--tag TAG] [--plan PLAN] [--provider NAME]
                      [--source PLACE] [--prefix TEXT] [--mode MODE] [--proxy PROXY]
sluice proxies assignments
sluice proxies check [PROXY …]
sluice proxies import FILE|- [--dry-run]
sluice proxies export [--format yaml|lines] [--out FILE] [--passwords]
sluice proxies test [--echo URL]

  list         every proxy with its state, without its password
  add          a proxy; nobody uses it until it is assigned
  remove       proxies for good; accounts assigned to them wait
  enable       lets accounts use proxies again; disable takes them out of use
  assign       says by which way accounts go out: inherit, direct, pool, or a proxy
  assignments  every account with its way
  check        tries the proxies now, and finds out their exit addresses
  import       a list of proxies, YAML or one a line
  export       the same the other way round
  test         tries the ways out that the configuration names; needs no gateway

  PROXY is an id or a name. \`sluice proxies VERB --help\` says more. For every verb:

${SHARED_HELP}
An account with a proxy goes out through it and no other way: when it is gone, the account waits.
Exit code 0 = done, 1 = failed, 2 = wrong usage.
`

const VERBS: Readonly<Record<string, Verb>> = {
  list: pool.listVerb,
  add: pool.addVerb,
  remove: pool.removeVerb,
  enable: pool.enableVerb,
  disable: pool.disableVerb,
  assign: assignVerb,
  assignments: assignmentsVerb,
  check: pool.checkVerb,
  import: importVerb,
  export: exportVerb,
}

const NAMES: readonly string[] = [...Object.keys(VERBS), "test"]

function verbOf(name: string): Verb | undefined {
  return Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
}

/** The `proxies` verb. */
export const proxiesCommand: Command = {
  name: "proxies",
  summary: "list, add, assign, check, import and export proxies; try those of the configuration",
  help: HELP,
  helpFor: ([name = ""]) => (name === "test" ? TEST_HELP : (verbOf(name)?.help ?? HELP)),
  run: async (args, io) => {
    const [name = "", ...rest] = args
    if (name === "test") return testWays(rest, io)
    const verb = verbOf(name)
    if (verb !== undefined) return runVerb(verb, rest, io, "proxies")
    if (name === "") return wrongUsage(io, `expected ${NAMES.join(", ")}`, "proxies")
    const near = nearest(name, NAMES)
    return wrongUsage(io, `there is no "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`, "proxies")
  },
}
