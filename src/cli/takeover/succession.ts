/** A gateway between the one it replaces, if there is one, and the one that will replace it. */

import type { OpenPortsParts } from "#cli/compose/open-ports.ts"
import { type StartedBricks, saveBlocks } from "#cli/compose/start-bricks.ts"
import type { Config } from "#config/config.ts"
import { systemTimers } from "#core/clock.ts"
import type { Log } from "#telemetry/log.ts"

import { bindingNotes } from "./binding-notes.ts"
import { type Door, type HandedOver, openDoor } from "./door.ts"
import { makeHandOverSteps } from "./hand-over-steps.ts"
import { meetPredecessor } from "./meet-predecessor.ts"
import { makePassage } from "./passage.ts"
import { learn, type Running, succeed } from "./succeed.ts"
import { makeTenure, type Tenure } from "./tenure.ts"

/** What it needs. */
export type SuccessionParts = {
  readonly config: () => Config
  readonly log: Log
  readonly version: string
  /** The gateway that runs on the same data folder is to be replaced, if there is one. */
  readonly takesOver: boolean
  /** The gateway that was to be replaced goes on: this process must let everything go at once. */
  readonly dismissed: () => void
}

/** What stands ready before anything of the data folder is opened. */
export type Succession = {
  readonly tenure: Tenure
  readonly carriesReservations: boolean
  /** Nothing is refreshed before this process is the gateway. */
  readonly beforeStart: (bricks: Pick<StartedBricks, "accounts">) => void
  readonly between: NonNullable<OpenPortsParts["between"]>
  /** Call when everything is restored. */
  readonly beforePorts: (bricks: StartedBricks) => Promise<void>
  /** Says that the ports are open, and lets others take over. Resolves when this process is the gateway. */
  readonly serve: (running: Running) => Promise<void>
  /** Resolves when another process is the gateway. */
  readonly left: Promise<HandedOver>
  /** The ports are closed. */
  readonly sayClosed: () => void
  readonly close: () => void
}

/** How often the next process learns of conversations that this one still serves. */
const TELL_MS = 250

/** Meets the gateway that is to be replaced. Rejects with why that does not hand over; resolves when its data folder is free. */
export async function beginSuccession(parts: SuccessionParts): Promise<Succession> {
  const { config, version } = parts
  const tenure = makeTenure()
  const { dataDir } = config()
  const meeting = { dataDir, version, timers: systemTimers, dismissed: parts.dismissed }
  const predecessor = parts.takesOver ? await meetPredecessor(meeting) : undefined
  const passage = makePassage(config, tenure)
  const { promise: left, resolve: leave } = Promise.withResolvers<HandedOver>()
  let door: Door | undefined
  return {
    tenure,
    carriesReservations: predecessor !== undefined,
    beforeStart: ({ accounts }) => {
      if (predecessor === undefined) return
      tenure.begin()
      // Nothing runs yet, so there is nothing to wait for.
      void accounts.pause()
    },
    between: {
      isJoined: address => predecessor?.isListening(address) ?? false,
      divert: passage.divert,
      hasLeft: () => tenure.phase() === "theirs",
      deserted: passage.deserted,
    },
    beforePorts: async bricks => {
      if (predecessor !== undefined) await learn(predecessor, bricks)
    },
    serve: async running => {
      if (predecessor !== undefined) await succeed(predecessor, running, { ...parts, tenure })
      door = letOthersIn(running, { ...parts, tenure, ready: async () => predecessor?.ended })
      door.left.then(how => {
        if (how.type === "replaced") tellBindings(running.bricks)
        leave(how)
      }, parts.dismissed)
    },
    left,
    sayClosed: () => door?.sayClosed(),
    close: () => {
      door?.close()
      passage.close()
    },
  }
}

function letOthersIn(
  { bricks, ports, upkeep, saveBindings }: Running,
  parts: SuccessionParts & { readonly tenure: Tenure; readonly ready: () => Promise<void> },
): Door {
  const { config } = parts
  const { dataDir } = config()
  const steps = makeHandOverSteps({
    dataDir,
    bricks,
    url: ports.url,
    ports: () => {
      const { ollama } = config()
      const own = { host: ports.url.hostname, port: Number(ports.url.port) }
      return ollama.enabled ? [own, { host: ollama.host, port: ollama.port }] : [own]
    },
    upkeep,
    save: () => {
      saveBlocks(bricks)
      saveBindings()
    },
    sleep: ms => new Promise<void>(resolve => void systemTimers.after(ms, resolve)),
  })
  return openDoor({ ...parts, dataDir, timers: systemTimers, steps })
}

/** Until the process ends. */
function tellBindings({ affinity, tenure }: Pick<StartedBricks, "affinity" | "tenure">): void {
  const tell = () => {
    for (const note of bindingNotes(affinity)) tenure.tell(note)
  }
  tell()
  systemTimers.every(TELL_MS, tell)
}
