/** `sluice accounts export`: accounts in a shape other programs read, into a file or a pipe. */

import { existsSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"

import { FORMATS, listFormats } from "#accounts/formats/format-names.ts"
import type { ExportAnswer } from "#cli/admin/admin-client.ts"
import { nearest } from "#config/edit-distance.ts"
import { GatewayError } from "#core/errors.ts"

import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

/** Shapes that can be written. */
const EXPORT_FORMATS: readonly string[] = listFormats().filter(name => FORMATS[name].canExport)

const HELP = `sluice accounts export [ACCOUNT …] [--format FORMAT] [--out FILE] [--show-secrets] [--json]

Writes accounts with their secrets to FILE (mode 0600, must not exist) or into a pipe; to a terminal only with --show-secrets.
Without ACCOUNT all that are not in the recycle bin. An exported sign-in has two owners: whoever refreshes first signs the other out.

  --format FORMAT   ${EXPORT_FORMATS.slice(0, 6).join(", ")},
                    ${EXPORT_FORMATS.slice(6).join(", ")} (default flat)
  --out FILE        a new file
  --show-secrets    lets it print tokens on a terminal
${SHARED_HELP}`

function reportText(exported: ExportAnswer, to: string, { io }: VerbCall): void {
  for (const { id, reason } of exported.skipped) io.stderr(`left out: ${id}: ${reason}\n`)
  io.stderr(`${exported.count} accounts written to ${to}; whoever refreshes one of these first signs the other out\n`)
}

function refuseExisting(out: string): GatewayError {
  return new GatewayError("invalid-request", `${out} exists already.`, {
    hint: "Choose another name, or move it away.",
  })
}

/** Whole or not at all: half a file of secrets helps nobody. Throws the system's reason. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600, flush: true })
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
    if (code === "EEXIST") throw refuseExisting(path)
    throw new GatewayError("invalid-request", `${path} cannot be written (${code}).`, { cause })
  }
}

/** What is wrong with the arguments, known before anybody is asked for secrets. */
function complaintAbout({ line, io }: VerbCall, format: string, out: string | undefined): string | undefined {
  if (!EXPORT_FORMATS.includes(format)) {
    const near = nearest(format, EXPORT_FORMATS)
    return `--format: there is no "${format}"${near === undefined ? "" : `; did you mean "${near}"?`}`
  }
  if (hasFlag(line, "--json") && out === undefined) return "--json reports on a file: add --out FILE"
  const isShown = out === undefined && io.isTerminal && !hasFlag(line, "--show-secrets")
  return isShown ? "secrets are not shown on a terminal: add --out FILE, or --show-secrets" : undefined
}

async function runExport(call: VerbCall): Promise<number> {
  const { line, io } = call
  const format = flagValue(line, "--format") ?? "flat"
  const given = flagValue(line, "--out")
  const complaint = complaintAbout(call, format, given)
  if (complaint !== undefined) return wrongUsage(io, complaint)
  const out = given === undefined ? undefined : resolve(io.cwd, given)
  if (out !== undefined && existsSync(out)) throw refuseExisting(out)
  const admin = await call.open()
  const exported = await admin.export(line.positionals.length === 0 ? "all" : line.positionals, format)
  if (exported.count === 0) {
    for (const { id, reason } of exported.skipped) io.stderr(`left out: ${id}: ${reason}\n`)
    io.stderr("sluice accounts: there is nothing to export\n")
    return 1
  }
  if (out === undefined) io.stdout(exported.text)
  else writeNew(out, exported.text)
  const { count, skipped } = exported
  if (hasFlag(line, "--json")) sayJson(io, { format, file: out, count, skipped })
  else reportText(exported, out ?? "standard output", call)
  return 0
}

/** `export`. */
export const exportVerb: Verb = {
  help: HELP,
  flags: { "--format": "value", "--out": "value", "--show-secrets": "switch" },
  run: runExport,
}
