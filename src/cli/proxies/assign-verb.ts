/** `sluice proxies assign` and `assignments`: by which way accounts go out. */

import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, wrongUsage } from "#cli/accounts/verb.ts"
import { maskLabel } from "#core/account.ts"

import { makeProxyClient } from "./proxy-client.ts"
import { assignmentTable, changesText } from "./say-proxies.ts"

const RULES = ["tag", "plan", "provider", "source", "prefix", "mode", "proxy"] as const

/** `assign`. */
export const assignVerb: Verb = {
  help: `sluice proxies assign ACCOUNT … | --all --to WAY[,WAY …] [--tag TAG] [--plan PLAN] … [--dry-run] [--json]

Says by which way accounts go out, for everything they do. WAY is a proxy's id or name, or

  inherit           what the account's source names, else \`proxy-url\`
  direct            straight to the upstream
  pool              one of the enabled proxies, the same one from now on

Several ways are dealt out in turn. Of the accounts that are named, those are meant that fit every rule:

  --tag TAG         carry this tag
  --plan PLAN       have this plan
  --provider NAME   codex or openai-api
  --source PLACE    live in a file or in the store
  --prefix TEXT     have an e-mail or a label that begins so
  --mode MODE       go out like this now: inherit, direct, fixed, pool
  --proxy PROXY     are assigned to this proxy now

  --dry-run         only says what would change
${SHARED_HELP}`,
  flags: {
    "--all": "switch",
    "--to": "value",
    "--dry-run": "switch",
    ...Object.fromEntries(RULES.map(rule => [`--${rule}`, "value"] as const)),
  },
  run: async call => {
    const { line, io } = call
    const to = (flagValue(line, "--to") ?? "").split(",").filter(way => way.trim() !== "")
    const isAll = hasFlag(line, "--all")
    if (to.length === 0) return wrongUsage(io, "assign needs --to WAY", "proxies")
    if (isAll === line.positionals.length > 0) {
      return wrongUsage(io, "assign takes accounts by name, or --all", "proxies")
    }
    const rule = Object.fromEntries(
      RULES.flatMap(name => {
        const value = flagValue(line, `--${name}`)
        return value === undefined ? [] : [[name, value] as const]
      }),
    )
    const report = await makeProxyClient(await call.open()).assign({
      accounts: isAll ? "all" : line.positionals,
      rule,
      to: to.map(way => way.trim()),
      dry_run: hasFlag(line, "--dry-run"),
    })
    if (!hasFlag(line, "--json")) io.stdout(changesText(report))
    else sayJson(io, { ...report, changes: report.changes.map(one => ({ ...one, label: maskLabel(one.label) })) })
    return 0
  },
}

/** `assignments`. */
export const assignmentsVerb: Verb = {
  help: `sluice proxies assignments [--json]

Every account with the way it goes out by, and why it waits when that way must not be used.

${SHARED_HELP}`,
  flags: {},
  run: async call => {
    const { line, io } = call
    if (line.positionals.length > 0) return wrongUsage(io, "assignments takes no name", "proxies")
    const { assignments } = await makeProxyClient(await call.open()).assignments()
    if (hasFlag(line, "--json")) {
      sayJson(io, { assignments: assignments.map(one => ({ ...one, label: maskLabel(one.label), email: null })) })
    } else io.stdout(assignments.length === 0 ? "there are no accounts\n" : assignmentTable(assignments))
    return 0
  },
}
