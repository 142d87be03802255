/** Where the sockets of a takeover lie: in the data folder, however long its path is. */

import { closeSync, openSync, rmSync } from "node:fs"
import { join } from "node:path"

/** Over it predecessor and successor talk. */
export const TALK_SOCKET = "takeover.sock"

/** At it the successor answers what the predecessor's clients still ask. */
export const PASS_SOCKET = "passed-on.sock"

/** The system takes 107 bytes. */
const MAX_PATH_BYTES = 100

/** A path that the system takes; `close` ends its use. */
export type SocketPlace = { readonly path: string; readonly close: () => void }

/** Finds it. Linux only: a path that is too long leads through the folder's descriptor. */
export function socketPlace(dataDir: string, name: string): SocketPlace {
  const path = join(dataDir, name)
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, close: () => {} }
  const folder = openSync(dataDir, "r")
  return { path: `/proc/self/fd/${folder}/${name}`, close: () => closeSync(folder) }
}

/** Binds a socket there that only this user may connect to; one that a killed process has left is removed. */
export function bindPrivately<Bound>({ path }: SocketPlace, bind: (path: string) => Bound): Bound {
  rmSync(path, { force: true })
  const before = process.umask(0o177)
  try {
    return bind(path)
  } finally {
    process.umask(before)
  }
}
