/** A folder with everything below it as one value, to be compared with what it is later. */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join, relative } from "node:path"

/** Returns a line for every folder, link and file: its path from the root, its permissions, and a file's bytes in hex. */
export function readFolder(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map(entry => {
      const path = join(entry.parentPath, entry.name)
      const mode = (lstatSync(path).mode & 0o7777).toString(8)
      const content = entry.isSymbolicLink()
        ? `→ ${readlinkSync(path)}`
        : entry.isFile()
          ? readFileSync(path).toHex()
          : "folder"
      return `${relative(root, path)} ${mode} ${content}`
    })
    .sort()
}
