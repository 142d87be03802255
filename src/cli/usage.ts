/** `sluice usage`: what requests have come to, by key, account or model. */

import type { UsageReport } from "#gateway/desk/usage.ts"

import { flagValue, hasFlag, runVerb, SHARED_HELP, sayJson, type Verb, wrongUsage } from "./accounts/verb.ts"
import type { Command } from "./command.ts"
import { usageTable } from "./requests/request-text.ts"

const HELP = `sluice usage [--by key|account|model] [--grain hour|day] [--since TIME] [--until TIME] [--only NAME]

Requests, errors and tokens, added up by hour or day of UTC.

  --by WHAT      key (unless given), account or model
  --grain SPAN   day (unless given: the last 30) or hour (the last 24)
  --since TIME   2026-11-21T13:00:00Z, or how long ago: 30m, 24h, 7d
  --until TIME   the same
  --only NAME    one key id, account id or model
${SHARED_HELP}`

const FLAGS = ["by", "grain", "since", "until", "only"] as const

const VERB: Verb = {
  command: "usage",
  help: HELP,
  flags: { "--by": "value", "--grain": "value", "--since": "value", "--until": "value", "--only": "value" },
  run: async ({ line, io, open }) => {
    if (line.positionals.length > 0) return wrongUsage(io, "takes no arguments besides its flags", "usage")
    const query = new URLSearchParams()
    for (const name of FLAGS) {
      const value = flagValue(line, `--${name}`)
      if (value !== undefined) query.set(name, value)
    }
    const report = await (await open()).get<UsageReport>(`/api/admin/usage?${query}`, "usage")
    if (hasFlag(line, "--json")) sayJson(io, report)
    else if (report.usage.length === 0) io.stdout(`nothing from ${report.from} to ${report.to}\n`)
    else io.stdout(usageTable(report))
    return 0
  },
}

/** The `usage` verb. */
export const usageCommand: Command = {
  name: "usage",
  summary: "add up requests and tokens by key, account or model",
  help: HELP,
  run: (args, io) => runVerb(VERB, args, io),
}
