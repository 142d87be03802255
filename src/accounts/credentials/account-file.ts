/** Writes rotated credentials into account files, one write a file at a time. */

import { readFile, stat } from "node:fs/promises"

import { replaceFile } from "#accounts/atomic-write.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { replaceCredential } from "#accounts/formats/replace-credential.ts"
import type { Credential } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

/** What became of the file: rewritten, or left alone because it no longer holds the used-up token. */
export type FileWrite = "written" | "superseded"

/** One credential to put into one file. */
export type CredentialWrite = {
  readonly path: string
  /** Fingerprint of the refresh token that was used up. */
  readonly fingerprint: string
  readonly credential: Extract<Credential, { type: "chatgpt" }>
}

/** Rejects with `internal`, naming the file, when it cannot be read or replaced. */
export type WriteCredential = (write: CredentialWrite) => Promise<FileWrite>

/** How often a file that changed between reading and replacing is read again. */
const MAX_READS = 3

async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

async function writeOnce({ path, fingerprint, credential }: CredentialWrite): Promise<FileWrite | "changed"> {
  const stamp = await stampOf(path)
  const text = await readFile(path, "utf8")
  const next = replaceCredential(text, { credential, holdsOld: token => refreshFingerprint(token) === fingerprint })
  if (next === undefined) return "superseded"
  if ((await stampOf(path)) !== stamp) return "changed"
  await replaceFile(path, next)
  return "written"
}

async function writeUntilStill(write: CredentialWrite): Promise<FileWrite> {
  for (let read = 0; read < MAX_READS; read++) {
    const result = await writeOnce(write)
    if (result !== "changed") return result
  }
  throw new GatewayError("internal", `${write.path} changes faster than it can be rewritten.`)
}

function describe(write: CredentialWrite, cause: unknown): GatewayError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected content"
  return new GatewayError("internal", `The new credential could not be written to ${write.path} (${reason}).`, {
    hint: "Make the file and its directory writable. The credential is safe in the data directory meanwhile.",
    cause,
  })
}

/** Makes the writer. Writes to the same path wait for each other: an array file holds many accounts. */
export function makeCredentialWriter(): WriteCredential {
  const last = new Map<string, Promise<unknown>>()
  return write => {
    const before = last.get(write.path) ?? Promise.resolve()
    const run = before.then(() => writeUntilStill(write)).catch(error => Promise.reject(describe(write, error)))
    // The next writer only waits for this one; its failure belongs to this one's caller.
    const forget = (): void => {
      if (last.get(write.path) === settled) last.delete(write.path)
    }
    const settled: Promise<void> = run.then(forget, forget)
    last.set(write.path, settled)
    return run
  }
}
