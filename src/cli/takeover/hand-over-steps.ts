/** What the running gateway does to let another process have its data folder, and to have it back. */

import type { Bricks } from "#cli/compose/lay-bricks.ts"
import { GatewayError, toGatewayError } from "#core/errors.ts"
import { IN_USE_CODE, readOwner } from "#store/owner-lock.ts"

import type { HandOverSteps } from "./door.ts"
import type { HeldPort } from "./messages.ts"
import type { Note } from "./notes.ts"

/** What the steps need. */
export type HandOverParts = {
  readonly dataDir: string
  readonly bricks: Bricks
  readonly url: URL
  readonly ports: () => readonly HeldPort[]
  /** Work that comes round by itself and writes. */
  readonly upkeep: { readonly start: () => void; readonly stop: () => void }
  readonly save: () => void
  readonly sleep: (ms: number) => Promise<void>
}

/** Builds them. */
export function makeHandOverSteps(parts: HandOverParts): HandOverSteps {
  const { bricks, upkeep } = parts
  return {
    rest: async () => {
      upkeep.stop()
      const isQuiet = await bricks.accounts.pause()
      if (isQuiet) {
        try {
          giveAway(parts)
          return undefined
        } catch (cause) {
          goOn(parts)
          return toGatewayError(cause).message
        }
      }
      goOn(parts)
      return "a renewed credential could not be written to the disk yet"
    },
    wake: async pid => {
      await takeBack(parts, pid)
      bricks.store.announce(parts.url.href)
      goOn(parts)
    },
    ports: parts.ports,
    memories: () => memoriesOf(bricks),
  }
}

/** In one turn of the event loop: whatever happens later is told, not written. */
function giveAway({ bricks, save }: HandOverParts): void {
  const { keys, cookies, journal, store, tenure } = bricks
  save()
  keys.keeper.rest()
  cookies.rest()
  journal.flush()
  store.rest()
  tenure.rest()
}

function goOn({ bricks, upkeep }: HandOverParts): void {
  const { keys, cookies, journal, accounts, tenure, reportFailure } = bricks
  keys.keeper.wake()
  cookies.wake()
  // Meters, bindings and the rest have stayed in memory and are written with the next round.
  for (const note of tenure.resume()) if (note.type === "outcome") journal.record(note.outcome)
  accounts.unpause()
  upkeep.start()
  // Account files may have changed while nothing could be written.
  accounts.rescan().catch(cause => reportFailure("looking at the account files", cause))
}

const LOOK_MS = 50
/** A process that was told to end is ended after that. */
const KILL_AFTER_LOOKS = 40
const GIVE_UP_AFTER_LOOKS = 200

async function takeBack({ bricks, dataDir, sleep }: HandOverParts, pid: number): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      bricks.store.wake()
      return
    } catch (cause) {
      const isHeld = cause instanceof GatewayError && cause.code === IN_USE_CODE
      if (!isHeld || look >= GIVE_UP_AFTER_LOOKS) throw cause
    }
    if (look === KILL_AFTER_LOOKS) endHolder(dataDir, pid)
    await sleep(LOOK_MS)
  }
}

/** It has the lock, was told to let it go, and hangs. Nobody is its client yet. */
function endHolder(dataDir: string, pid: number): void {
  if (readOwner(dataDir).pid !== String(pid)) return
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // Gone in the meantime, or in another container: the lock tells.
  }
}

/** Newest last. What is too much for a moment's pause is left behind, as at a restart. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024

function* memoriesOf({ memory }: Bricks): Iterable<Note> {
  if (memory.sizeBytes() > MAX_MEMORY_BYTES) return
  for (const response of memory.all()) yield { type: "response", response }
}
