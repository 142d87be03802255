/** `sluice requests`: what was served, and why by whom. */

import { nearest } from "#config/edit-distance.ts"
import type { RequestDetail, RequestPage } from "#gateway/desk/requests.ts"

import {
  flagValue,
  hasFlag,
  runVerb,
  SHARED_HELP,
  sayJson,
  type Verb,
  type VerbCall,
  wrongUsage,
} from "./accounts/verb.ts"
import type { Command } from "./command.ts"
import { requestBlock, requestTable } from "./requests/request-text.ts"

const HELP = `sluice requests list [--key KEY] [--account ACCOUNT] [--model MODEL] [--failed] [--since TIME] [--limit N] [--before CURSOR]
sluice requests show REQUEST …

  list   finished requests, the newest first; neither prompts nor answers are kept
  show   one request: its failed attempts, its error, and why it got its accounts; REQUEST is what the client got in
         \`x-request-id\`

  --key KEY           those of this client key, by the id the log shows
  --account ACCOUNT   those this account ended, by its id, e-mail, label or file name
  --model MODEL       those of this model, as it went upstream
  --failed            those that were refused or failed
  --since TIME        2026-11-21T13:00:00Z, or how long ago: 30m, 24h, 7d
  --limit N           this many, 50 unless given, at most 1000
  --before CURSOR     the page after the one that ended with this cursor
${SHARED_HELP}
\`log.explain\` says for which requests it is kept why they got their accounts: those that met trouble, all, or none.
Exit code 0 = done, 1 = failed, 2 = wrong usage.
`

const FILTERS = ["key", "account", "model", "since", "limit", "before"] as const

async function list({ line, io, open }: VerbCall): Promise<number> {
  if (line.positionals.length > 0) return wrongUsage(io, "list takes no request; `show` does", "requests")
  const query = new URLSearchParams()
  for (const name of FILTERS) {
    const value = flagValue(line, `--${name}`)
    if (value !== undefined) query.set(name, value)
  }
  if (hasFlag(line, "--failed")) query.set("failed", "true")
  const page = await (await open()).get<RequestPage>(`/api/admin/requests?${query}`, "requests")
  if (hasFlag(line, "--json")) sayJson(io, page)
  else if (page.requests.length === 0) io.stdout("no request fits\n")
  else {
    io.stdout(requestTable(page.requests))
    if (page.next !== null) io.stderr(`there are more: --before ${page.next}\n`)
  }
  return 0
}

async function show({ line, io, open }: VerbCall): Promise<number> {
  if (line.positionals.length === 0) return wrongUsage(io, "show needs the id of a request", "requests")
  const admin = await open()
  const requests: RequestDetail[] = []
  for (const id of line.positionals) {
    requests.push(await admin.get(`/api/admin/requests/${encodeURIComponent(id)}`, "id"))
  }
  if (hasFlag(line, "--json")) sayJson(io, { requests })
  else io.stdout(requests.map(requestBlock).join("\n"))
  return 0
}

const VERBS: Readonly<Record<string, Verb>> = {
  list: {
    command: "requests",
    help: HELP,
    flags: {
      "--key": "value",
      "--account": "value",
      "--model": "value",
      "--failed": "switch",
      "--since": "value",
      "--limit": "value",
      "--before": "value",
    },
    run: list,
  },
  show: { command: "requests", help: HELP, flags: {}, run: show },
}

/** The `requests` verb. */
export const requestsCommand: Command = {
  name: "requests",
  summary: "list finished requests, and show why they got their accounts",
  help: HELP,
  run: async ([name = "", ...rest], io) => {
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
    if (verb !== undefined) return runVerb(verb, rest, io)
    if (name === "") return wrongUsage(io, "expected list or show", "requests")
    const near = nearest(name, Object.keys(VERBS))
    const meant = near === undefined ? "" : `; did you mean "${near}"?`
    return wrongUsage(io, `there is no "${name}"${meant}`, "requests")
  },
}
