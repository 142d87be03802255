/** `sluice accounts export`: accounts in a shape other programs read, into a file or a pipe. */

import { existsSync } from "node:fs"
import { resolve } from "node:path"

import { writeNewFileNow } from "#accounts/atomic-write.ts"
import { type ExportedText, type ExportFormat, exportAccounts } from "#accounts/export-accounts.ts"
import { isListFormat, listFormats } from "#accounts/formats/format-names.ts"
import type { CommandIo } from "#cli/command.ts"
import { nearest } from "#config/edit-distance.ts"
import { systemClock } from "#core/clock.ts"

import { flagValue, hasFlag, type OpenedAccounts, pickAccounts, withAllAccounts, wrongUsage } from "./open-accounts.ts"

/** Shapes that can be written: all but the mixed lines, which are two shapes. */
const EXPORT_FORMATS: readonly string[] = listFormats().filter(name => name !== "tokens")

function isExportFormat(name: string): name is ExportFormat {
  return isListFormat(name) && EXPORT_FORMATS.includes(name)
}

function reportText(exported: ExportedText, to: string, io: CommandIo): void {
  for (const { id, reason } of exported.skipped) io.stderr(`left out: ${id}: ${reason}\n`)
  io.stderr(`${exported.count} accounts written to ${to}; whoever refreshes one of these first signs the other out\n`)
}

function writeOut(exported: ExportedText, out: string, io: CommandIo): number {
  if (existsSync(out)) {
    io.stderr(`sluice accounts: ${out} exists already\n  Choose another name, or move it away.\n`)
    return 1
  }
  writeNewFileNow({ path: out, text: exported.text, isSynced: true })
  return 0
}

function runOn(opened: OpenedAccounts, format: ExportFormat, io: CommandIo): number {
  const { line, accounts } = opened
  const out = flagValue(line, "--out")
  const isJson = hasFlag(line, "--json")
  if (isJson && out === undefined) return wrongUsage(io, "--json reports on a file: add --out FILE")
  if (out === undefined && io.isTerminal && !hasFlag(line, "--show-secrets")) {
    return wrongUsage(io, "secrets are not shown on a terminal: add --out FILE, or --show-secrets")
  }
  const { picked, complaint } = pickAccounts(opened, line.positionals)
  if (complaint !== undefined) {
    io.stderr(`sluice accounts: ${complaint}\n`)
    return 1
  }
  const exported = exportAccounts(line.positionals.length === 0 ? accounts.values() : picked, format, systemClock())
  if (exported.count === 0) {
    io.stderr("sluice accounts: there is nothing to export\n")
    return 1
  }
  const path = out === undefined ? undefined : resolve(io.cwd, out)
  const exitCode = path === undefined ? 0 : writeOut(exported, path, io)
  if (exitCode !== 0) return exitCode
  if (path === undefined) io.stdout(exported.text)
  if (isJson) {
    const { count, skipped } = exported
    io.stdout(`${JSON.stringify({ format, file: path, count, skipped }, undefined, 2)}\n`)
  } else reportText(exported, path ?? "standard output", io)
  return 0
}

/** Runs `export`. */
export function runExport(args: readonly string[], io: CommandIo): Promise<number> {
  const flags = { "--format": "value", "--out": "value", "--show-secrets": "switch" } as const
  return withAllAccounts(args, flags, io, async opened => {
    const format = flagValue(opened.line, "--format") ?? "flat"
    if (isExportFormat(format)) return runOn(opened, format, io)
    const near = nearest(format, EXPORT_FORMATS)
    return wrongUsage(io, `--format: there is no "${format}"${near === undefined ? "" : `; did you mean "${near}"?`}`)
  })
}
