/** Hands out a backup of the open database as a stream; nothing of it stays in the data folder. */

import { closeSync, fstatSync, openSync, read, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

import { makeId } from "#core/ids.ts"
import type { BackupStream } from "#gateway/desk/records.ts"
import type { Store } from "#store/store.ts"

import { randomBytes } from "./random-bytes.ts"

const CHUNK_BYTES = 256 * 1024
const readAt = promisify(read)

/** Makes the function that makes one. It throws SQLite's error when the disk has no room for the copy. */
export function buildBackup(dataDir: () => string, store: Pick<Store, "backUpTo">): () => BackupStream {
  return () => {
    const path = join(dataDir(), `${makeId("backup-", randomBytes, 6)}.tmp`)
    try {
      store.backUpTo(path)
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
