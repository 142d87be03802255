/** The moment at which a new process becomes the gateway. */

import type { OpenPorts } from "#cli/compose/open-ports.ts"
import type { StartedBricks } from "#cli/compose/start-bricks.ts"
import type { Config } from "#config/config.ts"
import type { Log } from "#telemetry/log.ts"

import type { Predecessor } from "./meet-predecessor.ts"
import { answerPassedOn } from "./passage.ts"
import { steerHere } from "./steer-port.ts"
import { takeNotes } from "./take-notes.ts"
import type { Tenure } from "./tenure.ts"

/** What runs by then. */
export type Running = {
  readonly bricks: StartedBricks
  readonly ports: OpenPorts
  readonly upkeep: { readonly start: () => void; readonly stop: () => void }
  readonly saveBindings: () => void
}

/** What succeeding needs. */
export type SucceedParts = { readonly config: () => Config; readonly log: Pick<Log, "warn">; readonly tenure: Tenure }

/** Follows what the predecessor tells; resolves when that is enough to open the ports. */
export async function learn(predecessor: Predecessor, bricks: StartedBricks): Promise<void> {
  takeNotes(predecessor, bricks)
  await predecessor.told
}

/** Ends when this process refreshes, writes and is asked by everybody; call with open ports. */
export async function succeed(
  predecessor: Predecessor,
  { bricks, ports }: Pick<Running, "bricks" | "ports">,
  { config, log, tenure }: SucceedParts,
): Promise<void> {
  const port = Number(ports.url.port)
  if (predecessor.isListening({ host: ports.url.hostname, port }) && !steerHere(port)) {
    log.warn({ port }, "new connections cannot be led to this process alone; until the other has closed, both get some")
  }
  const { ollama } = config()
  if (ollama.enabled && predecessor.isListening(ollama)) steerHere(ollama.port)
  const stopAnswering = answerPassedOn(config().dataDir, ports.serve)
  // Neither rejects.
  void predecessor.ended.then(stopAnswering)
  await predecessor.listening()
  tenure.resume()
  bricks.accounts.unpause()
}
