/** `sluice accounts import`: files, folders or standard input → account files in `auth-dir`. */

import { readdir, readFile, stat } from "node:fs/promises"
import { basename, join, resolve } from "node:path"

import { isListFormat, type ListFormat, listFormats } from "#accounts/formats/format-names.ts"
import { applyImport } from "#accounts/import-accounts.ts"
import { type ImportPlan, type ImportResult, type ImportSource, planImport } from "#accounts/import-plan.ts"
import type { CommandIo } from "#cli/command.ts"
import { nearest } from "#config/edit-distance.ts"
import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import { flagValue, hasFlag, type OpenedAccounts, withAccounts, wrongUsage } from "./open-accounts.ts"
import { formatTable } from "./table.ts"

/** Enough for a hundred thousand accounts; more is a mistake in the file's name. */
const MAX_BYTES = 256 * 1024 * 1024
const PROGRESS_EVERY_MS = 1000
/** Reasons shown; `--json` has all. */
const MAX_SHOWN = 20

const OUTCOMES = ["added", "updated", "unchanged", "refused"] as const

function pause(): Promise<void> {
  return new Promise(done => setImmediate(done))
}

function unreadable(name: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected content"
  return new GatewayError("invalid-request", `${name} cannot be read (${code}).`, { cause })
}

async function readOne(path: string): Promise<ImportSource> {
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new GatewayError("invalid-request", `${path} is larger than ${MAX_BYTES} bytes.`)
    return { name: basename(path), text: await readFile(path, "utf8") }
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : unreadable(path, cause)
  }
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const found = await readdir(path, { withFileTypes: true })
    const names = found.filter(one => one.isFile() && /^[^.].*\.(json|jsonl|ndjson|txt)$/i.test(one.name))
    return names.map(one => join(path, one.name)).sort()
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function readSources(names: readonly string[], io: CommandIo): Promise<readonly ImportSource[]> {
  const sources: ImportSource[] = []
  for (const name of names) {
    if (name === "-") sources.push({ name: "standard input", text: await Bun.stdin.text() })
    else for (const path of await filesAt(resolve(io.cwd, name))) sources.push(await readOne(path))
  }
  return sources
}

async function fileNamesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw unreadable(directory, cause)
  }
}

/** A line a second, so that a log of it stays short. */
function progressTo(io: CommandIo): (written: number, total: number) => void {
  let nextAtMs = systemClock() + PROGRESS_EVERY_MS
  return (written, total) => {
    if (systemClock() < nextAtMs) return
    nextAtMs = systemClock() + PROGRESS_EVERY_MS
    io.stderr(`written ${written} of ${total} accounts\n`)
  }
}

function countOutcomes(results: readonly ImportResult[]): Readonly<Record<(typeof OUTCOMES)[number], number>> {
  const counts = { added: 0, updated: 0, unchanged: 0, refused: 0 }
  for (const { outcome } of results) counts[outcome] += 1
  return counts
}

function placeOf({ source, where }: ImportResult): string {
  return where === "" ? source : `${source}, ${where}`
}

function reportText(plan: ImportPlan, results: readonly ImportResult[], io: CommandIo): void {
  const refused = results.filter(result => result.outcome === "refused")
  for (const result of refused.slice(0, MAX_SHOWN)) io.stderr(`refused: ${placeOf(result)}: ${result.reason ?? ""}\n`)
  if (refused.length > MAX_SHOWN) io.stderr(`… and ${refused.length - MAX_SHOWN} more; --json lists all\n`)
  const bySource = Map.groupBy(results, result => result.source)
  const rows = plan.sources.map(({ name, format = "-" }) => {
    const counts = countOutcomes(bySource.get(name) ?? [])
    return [name, format, ...OUTCOMES.map(outcome => String(counts[outcome]))]
  })
  const totals = countOutcomes(results)
  const total = plan.sources.length > 1 ? [["all", "", ...OUTCOMES.map(outcome => String(totals[outcome]))]] : []
  io.stdout(formatTable([["SOURCE", "FORMAT", ...OUTCOMES.map(name => name.toUpperCase())], ...rows, ...total]))
}

async function runOn(opened: OpenedAccounts, forced: ListFormat | undefined, io: CommandIo): Promise<number> {
  const { line, authDir, memory, accounts } = opened
  const sources = await readSources(line.positionals, io)
  const shared = { authDir, clock: systemClock, pause, signal: io.signal }
  const fileNames = await fileNamesIn(authDir)
  const plan = await planImport({ ...shared, memory, present: accounts.values(), fileNames }, sources, forced)
  const isDryRun = hasFlag(line, "--dry-run")
  const results = isDryRun ? plan.results : await applyImport(plan, { ...shared, onProgress: progressTo(io) })
  const counts = countOutcomes(results)
  if (hasFlag(line, "--json")) {
    const report = { authDir, dryRun: isDryRun, sources: plan.sources, counts, results }
    io.stdout(`${JSON.stringify(report, undefined, 2)}\n`)
  } else {
    reportText(plan, results, io)
    if (isDryRun) io.stdout("nothing was written (--dry-run)\n")
    else if (counts.added + counts.updated > 0) {
      io.stdout(`written to ${authDir}; a refresh token works once, so use these sign-ins nowhere else\n`)
    }
  }
  return results.length === counts.refused ? 1 : 0
}

/** Runs `import`. */
export function runImport(args: readonly string[], io: CommandIo): Promise<number> {
  return withAccounts(args, { "--format": "value", "--dry-run": "switch" }, io, async opened => {
    const format = flagValue(opened.line, "--format") ?? "auto"
    if (format !== "auto" && !isListFormat(format)) {
      const near = nearest(format, listFormats())
      return wrongUsage(io, `--format: there is no "${format}"${near === undefined ? "" : `; did you mean "${near}"?`}`)
    }
    if (opened.line.positionals.length === 0)
      return wrongUsage(io, "import needs a file, a folder, or - for standard input")
    return runOn(opened, format === "auto" ? undefined : format, io)
  })
}
