/** Opens the gateway's own port on relay threads. Loaded only where there are some. */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { type RunningRelays, type StartRelaysParts, startRelays } from "#relay/owner/start-relays.ts"
import type { Log } from "#telemetry/log.ts"

/** What opening needs. */
export type OpenRelaysParts = Pick<StartRelaysParts, "gateway" | "serving" | "count" | "address" | "openWorker"> & {
  readonly config: () => Config
  readonly log: Log
  /** Another process is the gateway. */
  readonly hasLeft: () => boolean
}

/** The kernel keeps about this much of a socket's path: 108 bytes with their end. */
const MAX_DOOR_BYTES = 100

/** Opens it. Rejects with `invalid-request` when the address cannot be taken. */
export async function openRelays({ config, log, hasLeft, ...parts }: OpenRelaysParts): Promise<RunningRelays> {
  const door = makeDoor(config().dataDir)
  try {
    const relays = await startRelays({
      ...parts,
      door: door.path,
      clock: systemClock,
      timers: systemTimers,
      settings: () => ({
        bodyTimeoutMs: config().bodyTimeoutMs,
        maxBodyBytes: config().maxBodyBytes,
        carries: config().upstreamTransport === "http" && !hasLeft(),
      }),
      onLoss: loss => log.error(loss, "a relay thread has ended; another one begins after a pause"),
    })
    log.info({ threads: parts.count }, "relay threads share the port")
    return { ...relays, stop: graceMs => relays.stop(graceMs).finally(door.remove) }
  } catch (cause) {
    door.remove()
    throw cause
  }
}

/** A folder that only this user can look into: the data folder stays one that programs can copy, which sockets they cannot. */
function makeDoor(dataDir: string): { readonly path: string; readonly remove: () => void } {
  const folder = makeFolder(dataDir)
  const path = join(folder, "door.sock")
  if (Buffer.byteLength(path) <= MAX_DOOR_BYTES) {
    return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
  }
  rmSync(folder, { recursive: true, force: true })
  throw new GatewayError(
    "invalid-request",
    "The relay threads' socket has no place: the path of the folder for temporary files is too long.",
    {
      hint: "Set TMPDIR to a shorter path, or `workers` to 1.",
    },
  )
}

function makeFolder(dataDir: string): string {
  try {
    return mkdtempSync(join(tmpdir(), "sluice-relay-"))
  } catch {
    // A system whose only folder that can be written to is the data folder.
    return mkdtempSync(join(dataDir, "relay-"))
  }
}
