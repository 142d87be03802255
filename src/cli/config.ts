/** `sluice config`: checks a configuration file, shows what is in force and why, prints the JSON Schema. */

import { nearest } from "#config/edit-distance.ts"
import { type ExplainedSetting, explainConfig } from "#config/explain.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import type { LoadResult } from "#config/load.ts"
import { formatProblem } from "#config/problem.ts"
import { renderJsonSchema } from "#config/render.ts"

import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"

const HELP = `sluice config check [FILE] [--json] [--config FILE] [--<key> VALUE …]
sluice config print [--explain] [--json] [--config FILE] [--<key> VALUE …]
sluice config schema

  check    reads the configuration the way \`serve\` would and reports every problem; exit code 0 or 1
  print    shows every setting in force, secrets masked; --explain adds where each value comes from
  schema   prints a JSON Schema of the file for editors

  --json          machine-readable output
  --config FILE   this file instead of ./sluice.yaml or $XDG_CONFIG_HOME/sluice/config.yaml
  --<key> VALUE   any setting, as for \`serve\`
`

const VERBS: readonly string[] = ["check", "print", "schema"]

/** The `config` verb. */
export const configCommand: Command = {
  name: "config",
  summary: "check the configuration, show it with the origin of each value, print its schema",
  help: HELP,
  run: async (args, io) => {
    const [verb = "", ...rest] = args
    const line = readCommandLine(rest, { "--json": "switch", ...(verb === "print" ? { "--explain": "switch" } : {}) })
    const [file, ...tooMany] = line.positionals
    if (!VERBS.includes(verb)) return wrongUsage(io, unknownVerb(verb))
    if (tooMany.length > 0 || (file !== undefined && verb !== "check")) return wrongUsage(io, "too many arguments")
    if (verb === "schema") return say(io, renderJsonSchema())
    const result = await configLoader(line, io, file ?? line.configPath).load()
    return verb === "check" ? reportCheck(result, line, io) : reportPrint(result, line, io)
  },
}

function reportCheck(result: LoadResult, line: CommandLine, io: CommandIo): number {
  if (line.own.has("--json")) return say(io, `${JSON.stringify(checkReport(result), null, 2)}\n`, exitCodeOf(result))
  if (result.type === "refused") return refuse(result, io)
  warn(result.loaded.warnings, io)
  return say(io, `${result.loaded.file ?? "no file; defaults, environment and flags only"}: ok\n`)
}

function reportPrint(result: LoadResult, line: CommandLine, io: CommandIo): number {
  if (result.type === "refused") return refuse(result, io)
  warn(result.loaded.warnings, io)
  const rows = explainConfig(result.loaded)
  const isExplained = line.own.has("--explain")
  if (line.own.has("--json")) return say(io, `${JSON.stringify(printReport(rows, isExplained), null, 2)}\n`)
  const lines = rows.map(row => `${row.path}: ${JSON.stringify(row.value)}`)
  const width = Math.max(...lines.map(text => text.length))
  const shown = isExplained ? lines.map((text, index) => `${text.padEnd(width)}  # ${rows[index]?.from ?? ""}`) : lines
  return say(io, `${shown.join("\n")}\n`)
}

function checkReport(result: LoadResult): object {
  if (result.type === "loaded") {
    return { ok: true, file: result.loaded.file ?? null, problems: [], warnings: result.loaded.warnings }
  }
  const problems = result.problems.map(problem => ({ ...problem, text: formatProblem(problem) }))
  return { ok: false, problems, warnings: [] }
}

function printReport(rows: readonly ExplainedSetting[], isExplained: boolean): object {
  return Object.fromEntries(rows.map(row => [row.path, isExplained ? { value: row.value, from: row.from } : row.value]))
}

function refuse(result: Extract<LoadResult, { readonly type: "refused" }>, io: CommandIo): number {
  for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
  return exitCodeOf(result)
}

function exitCodeOf(result: LoadResult): number {
  return result.type === "loaded" ? 0 : 1
}

function warn(warnings: readonly string[], io: CommandIo): void {
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`)
}

function unknownVerb(verb: string): string {
  const near = nearest(verb, VERBS)
  if (verb === "") return "expected check, print or schema"
  return `there is no "${verb}"; ${near === undefined ? "expected check, print or schema" : `did you mean "${near}"?`}`
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice config: ${message}\n  \`sluice config --help\` shows how it is used.\n`)
  return 2
}

function say(io: CommandIo, text: string, exitCode = 0): number {
  io.stdout(text)
  return exitCode
}
