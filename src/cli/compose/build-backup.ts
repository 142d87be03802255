/** Hands out a backup of the open database as a stream; nothing of it stays in the data folder. */

import { closeSync, fstatSync, openSync, read, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

import { makeId } from "#core/ids.ts"
import type { BackupStream } from "#gateway/desk/records.ts"
import { backUpDatabase } from "#store/backup.ts"

import { randomBytes } from "./random-bytes.ts"

const CHUNK_BYTES = 256 * 1024
const readAt = promisify(read)

/** Makes the function that makes one. It rejects with `internal` when the disk has no room for the copy. */
export function buildBackup(dataDir: () => string): () => Promise<BackupStream> {
  return async () => {
    const path = join(dataDir(), `${makeId("backup-", randomBytes, 6)}.tmp`)
    try {
      await backUpDatabase(join(dataDir(), "core.db"), path)
      return streamOf(openSync(path, "r"))
    } finally {
      // Whoever reads has it open; when the last reader is gone, so is the file, however this process ends.
      rmSync(path, { force: true })
    }
  }
}

function streamOf(descriptor: number): BackupStream {
  let at = 0
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async controller => {
      const buffer = new Uint8Array(CHUNK_BYTES)
      const { bytesRead } = await readAt(descriptor, buffer, 0, CHUNK_BYTES, at)
      at += bytesRead
      if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead))
      closeSync(descriptor)
      controller.close()
    },
    cancel: () => closeSync(descriptor),
  })
  return { totalBytes: fstatSync(descriptor).size, body }
}
