/** Files that root makes in the data folder of another user belong to that user, or the gateway could not open them. */

import { chownSync, existsSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"

/** Hands over. */
export type OwnerGift = { readonly give: () => void }

const NOTHING: OwnerGift = { give: () => {} }

/** Notes whose folder it is, or is going to be, before anything is made in it. */
export function giveToOwner(folder: string): OwnerGift {
  if (process.getuid?.() !== 0) return NOTHING
  const place = existsSync(folder) ? folder : dirname(folder)
  if (!existsSync(place)) return NOTHING
  const { uid, gid } = statSync(place)
  if (uid === 0) return NOTHING
  return {
    give: () => {
      if (!existsSync(folder)) return
      // By name: opening `core.lock` once more would drop its lock.
      for (const path of [folder, ...readdirSync(folder).map(name => join(folder, name))]) {
        if (statSync(path).uid === 0) chownSync(path, uid, gid)
      }
    },
  }
}
