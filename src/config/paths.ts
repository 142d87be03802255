/** Turns paths as people write them into absolute ones. */

import { join, resolve } from "node:path"

/** Returns the absolute path; a relative one starts at `from`, `~/` at the home directory. */
export function toPath(path: string, from: string, homeDir: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homeDir, path.slice(1))
  return resolve(from, path)
}
