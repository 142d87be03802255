/** `sluice backup`: the database in one file, from the gateway that runs or from its folder. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { resolve } from "node:path"

import { KEY_FACT_NAMES, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { inspectBackup } from "#store/backup.ts"
import { peekMeta } from "#store/peek-meta.ts"

import { hasFlag, runVerb, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./accounts/verb.ts"
import type { AdminReply } from "./admin/admin-connection.ts"
import type { Command, CommandIo } from "./command.ts"

const HELP = `sluice backup [FILE] [--json] [--gateway URL]

Writes core.db, all of it as it is at one moment, into FILE (unless given: sluice-backup-<time>.db here), readable for
you alone, and checks it. A gateway that runs goes on serving. \`sluice restore FILE\` puts it back.

In it:      accounts of the database, stored credentials (encrypted), settings of operators, what was learned
Not in it:  the master key, without which it is of no use; files of \`auth-dir\`; the configuration; the request log

${SHARED_HELP}`

/** Shown on a terminal at this distance. */
const SHOWN_EVERY_BYTES = 8 * 1024 * 1024

async function receive({ body, totalBytes }: AdminReply, part: string, io: CommandIo): Promise<number> {
  const descriptor = openPart(part)
  let bytes = 0
  let shown = 0
  try {
    for await (const piece of body ?? []) {
      writeSync(descriptor, piece)
      bytes += piece.length
      if (!io.isTerminal || bytes - shown < SHOWN_EVERY_BYTES) continue
      shown = bytes
      io.stderr(`received ${megabytes(bytes)}${totalBytes === undefined ? "" : ` of ${megabytes(totalBytes)}`}\n`)
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  if (totalBytes !== undefined && bytes !== totalBytes) {
    throw new GatewayError("upstream-protocol", `The backup broke off after ${bytes} of ${totalBytes} bytes.`, {
      hint: "Nothing was kept of it. Try again.",
    })
  }
  return bytes
}

function openPart(part: string): number {
  try {
    return openSync(part, "wx", 0o600)
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
    throw new GatewayError("invalid-request", `${part} cannot be written (${code}).`, {
      hint: "Name a file in a folder that exists and that you may write to.",
      cause,
    })
  }
}

async function backUp({ line, io, open }: VerbCall): Promise<number> {
  const [given, ...more] = line.positionals
  if (more.length > 0) return wrongUsage(io, "takes one file", "backup")
  const file = resolve(io.cwd, given ?? `sluice-backup-${stamp()}.db`)
  const part = `${file}.part`
  if (existsSync(file)) {
    throw new GatewayError("invalid-request", `${file} exists; it was left as it is.`, { hint: "Name another file." })
  }
  const admin = await open()
  rmSync(part, { force: true })
  try {
    const bytes = await receive(await admin.download("/api/admin/backup"), part, io)
    const facts = inspectBackup(part)
    const known = peekMeta(part, KEY_FACT_NAMES)
    const keyId = readKeyFacts(name => known.get(name)).keyId ?? null
    renameSync(part, file)
    if (hasFlag(line, "--json")) sayJson(io, { file, bytes, ...facts, keyId })
    else io.stdout(report({ file, bytes, ...facts, keyId }))
    return 0
  } finally {
    rmSync(part, { force: true })
  }
}

type Report = {
  readonly file: string
  readonly bytes: number
  readonly accounts: number
  readonly credentials: number
  readonly keyId: string | null
}

function report({ file, bytes, accounts, credentials, keyId }: Report): string {
  const content = `${accounts} accounts of the database, ${credentials} credentials, ${megabytes(bytes)}, whole`
  const key = keyId === null ? "" : `It opens with the master key ${keyId}, which is not in it: keep that apart.\n`
  return `${file}: ${content}\n${key}Account files of \`auth-dir\` are not in it either.\n`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function stamp(): string {
  return new Date(systemClock()).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")
}

const VERB: Verb = { command: "backup", help: HELP, flags: {}, run: backUp }

/** The `backup` verb. */
export const backupCommand: Command = {
  name: "backup",
  summary: "write the database into one file, and check it",
  help: HELP,
  run: (args, io) => runVerb(VERB, args, io),
}
