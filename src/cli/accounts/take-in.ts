/** Sends texts to be taken in, shows how far it is, and says what became of them. */

import { systemClock } from "#core/clock.ts"
import type { ImportReport } from "#gateway/desk/intake.ts"

import { formatTable } from "./table.ts"
import { flagValue, hasFlag, sayJson, type VerbCall } from "./verb.ts"

const PROGRESS_EVERY_MS = 1000
/** Reasons shown; `--json` has all. */
const MAX_SHOWN = 20

const OUTCOMES = ["added", "updated", "unchanged", "refused"] as const

type Result = ImportReport["results"][number]

/** A line a second, so that a log of it stays short. */
function progressTo({ io }: VerbCall): (written: number, total: number) => void {
  let nextAtMs = systemClock() + PROGRESS_EVERY_MS
  return (written, total) => {
    if (systemClock() < nextAtMs) return
    nextAtMs = systemClock() + PROGRESS_EVERY_MS
    io.stderr(`written ${written} of ${total} accounts\n`)
  }
}

function placeOf({ source, where }: Result): string {
  return where === "" ? source : `${source}, ${where}`
}

function countsOf(results: readonly Result[]): readonly string[] {
  return OUTCOMES.map(outcome => String(results.filter(result => result.outcome === outcome).length))
}

function sayRefused({ results }: ImportReport, { io }: VerbCall): void {
  const refused = results.filter(result => result.outcome === "refused")
  for (const result of refused.slice(0, MAX_SHOWN)) io.stderr(`refused: ${placeOf(result)}: ${result.reason ?? ""}\n`)
  if (refused.length > MAX_SHOWN) io.stderr(`… and ${refused.length - MAX_SHOWN} more; --json lists all\n`)
}

function sayTable({ sources, results }: ImportReport, { io }: VerbCall): void {
  const bySource = Map.groupBy(results, result => result.source)
  const rows = sources.map(({ name, format = "-" }) => [name, format, ...countsOf(bySource.get(name) ?? [])])
  const total = sources.length > 1 ? [["all", "", ...countsOf(results)]] : []
  io.stdout(formatTable([["SOURCE", "FORMAT", ...OUTCOMES.map(name => name.toUpperCase())], ...rows, ...total]))
}

function sayEnd(report: ImportReport, where: string, { io }: VerbCall): void {
  const { counts, results } = report
  const restored = results.filter(result => result.restored === true).length
  if (restored > 0) io.stdout(`${restored} came back from the recycle bin\n`)
  if (report.dry_run) io.stdout("nothing was written (--dry-run)\n")
  else if (counts.added + counts.updated > 0) {
    io.stdout(`now in ${where}; a refresh token works once, so use these sign-ins nowhere else\n`)
  }
}

function fill(form: FormData, { line }: VerbCall, format: string): void {
  form.set("format", format)
  const label = flagValue(line, "--label")
  const tags = flagValue(line, "--tag")
  if (label !== undefined) form.set("label", label)
  if (tags !== undefined) form.set("tags", tags)
  if (hasFlag(line, "--dry-run")) form.set("dry_run", "true")
}

/** Takes in the files of a form. Returns the exit code: 1 when nothing could be taken in. */
export async function takeIn(call: VerbCall, form: FormData, format: string): Promise<number> {
  fill(form, call, format)
  const admin = await call.open()
  const report = await admin.import(form, progressTo(call))
  if (hasFlag(call.line, "--json")) sayJson(call.io, { where: admin.where, ...report })
  else {
    sayRefused(report, call)
    sayTable(report, call)
    sayEnd(report, admin.where, call)
  }
  return report.results.length === report.counts.refused ? 1 : 0
}
