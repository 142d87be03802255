/** `sluice proxies test`: tries the ways out that the configuration names. */

import { wrongUsage } from "#cli/accounts/verb.ts"
import type { CommandIo } from "#cli/command.ts"
import { listWays, type Way } from "#cli/compose/configured-ways.ts"
import { configLoader } from "#cli/config-loader.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { probeWay, type WayReport } from "#gateway/egress/probe-way.ts"

const TIMEOUT_MS = 15_000

/** The whole text of `sluice proxies test --help`. */
export const TEST_HELP = `sluice proxies test [--echo URL] [--json] [--config FILE] [--<key> VALUE …]

  Sends one request through every way out: proxy-url (or direct), and each proxy_url of credential-pool.codex that is in use.
  Prints a line each: address without login, who uses it, how long the answer took. Exit code 0 = all work, 1 = not all.
  No account and no credential is used.

  --echo URL      ask this address, which answers with the caller's, and show it as the exit address
                  (default: the origin of base-url, which shows that the upstream can be reached)
  --json          machine-readable output
  --config FILE   the configuration that names the proxies
  --<key> VALUE   any setting, as for \`serve\`
`

type Tried = { readonly way: Way; readonly report: WayReport }

/** Runs `test`, which needs no gateway. Returns the exit code. */
export async function testWays(args: readonly string[], io: CommandIo): Promise<number> {
  const line = readCommandLine(args, { "--echo": "value", "--json": "switch" })
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrongUsage(io, formatProblem(problem), "proxies")
  if (line.positionals[0] !== undefined) {
    return wrongUsage(io, `unexpected argument "${line.positionals[0]}"`, "proxies")
  }
  return testAll(line, io)
}

async function testAll(line: CommandLine, io: CommandIo): Promise<number> {
  const given = line.own.get("--echo")
  const echo = typeof given === "string" ? URL.parse(given) : undefined
  if (echo !== undefined && !/^https?:$/.test(echo?.protocol ?? "")) {
    return wrongUsage(io, "--echo: expected an http or https address", "proxies")
  }
  const result = await configLoader(line, io).load()
  if (result.type !== "loaded") {
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  }
  const { config } = result.loaded
  const url = (echo ?? new URL("/favicon.ico", config.baseUrl)).href
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)])
  const parts = { url, clock: systemClock, timers: systemTimers, signal }
  const tried = await Promise.all(
    listWays(config).map(async (way): Promise<Tried> => ({ way, report: await probeWay(way.egress, parts) })),
  )
  io.stdout(line.own.has("--json") ? `${JSON.stringify(tried.map(jsonOf), null, 2)}\n` : tried.map(lineOf).join(""))
  return tried.every(({ report }) => report.type === "works") ? 0 : 1
}

function lineOf({ way, report }: Tried): string {
  const name = `${way.shown} (${way.usedBy.join(", ")})`
  if (report.type === "fails")
    return `fails  ${name}: ${report.reason}${report.hint ? `\n       ${report.hint}` : ""}\n`
  const exit = report.exitAddress === undefined ? "" : `, exit address ${report.exitAddress}`
  return `works  ${name}: status ${report.status} in ${report.latencyMs} ms${exit}\n`
}

function jsonOf({ way, report }: Tried): object {
  const { type, ...facts } = report
  return { address: way.shown, usedBy: way.usedBy, works: type === "works", ...facts }
}
