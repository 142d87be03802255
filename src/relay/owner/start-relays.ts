/** Starts the relay threads of a gateway, and the private door at which they ask for everything else. */

import type { Clock, Timers } from "#core/clock.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { isReadableByPages } from "#http/cross-origin.ts"
import { drain, endRunning } from "#http/drain.ts"
import { type ListenAddress, refuseTaken } from "#http/listen.ts"
import { takePeer } from "#http/pass-on.ts"
import { openPrivateDoor } from "#http/private-door.ts"
import type { ServeParts } from "#http/serve-model.ts"
import { type Diversion, makeSurface, type RunningServer } from "#http/server.ts"

import { makeRelayKeeper, type RelayKeeper, type RelayKeeperParts, type RelayView } from "./relay-keeper.ts"
import type { Guest } from "./request-desk.ts"

/** What the relays are started with. */
export type StartRelaysParts = Pick<RelayKeeperParts, "settings" | "onLoss" | "openWorker"> & {
  readonly count: number
  readonly address: ListenAddress
  readonly gateway: Gateway
  readonly serving: Omit<ServeParts, "peerOf"> & { readonly divert?: Diversion }
  /** Path of the private door; nothing lies there. */
  readonly door: string
  readonly clock: Clock
  readonly timers: Timers
}

/** Relays at work. */
export type RunningRelays = RunningServer & {
  /** Tells them settings that have changed. */
  readonly follow: () => void
  readonly view: () => readonly RelayView[]
}

/** Starts them. Rejects with `invalid-request` when the address cannot be taken. */
export async function startRelays(parts: StartRelaysParts): Promise<RunningRelays> {
  const { gateway, serving, door, address, timers } = parts
  refuseTaken(address)
  const guests = new WeakMap<Request, Guest>()
  const surface = makeSurface(gateway, {
    ...serving,
    peerOf: request => guests.get(request)?.peer,
    carrierOf: request => guests.get(request)?.carrier,
  })
  const server = openPrivateDoor(surface, {
    path: door,
    greet: request => guests.set(request, { peer: takePeer(request) }),
  })
  const keepers = Array.from({ length: parts.count }, () =>
    makeRelayKeeper({
      ...parts,
      host: address.host,
      serve: surface.serve,
      introduce: (request, guest) => guests.set(request, guest),
      isReadableByPages: request => isReadableByPages(request, serving.admission()),
    }),
  )
  const close = async () => {
    for (const keeper of keepers) keeper.stop()
    await server.stop(true)
  }
  try {
    const port = await startAll(keepers, address.port)
    return {
      url: new URL(`http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}/`),
      follow: () => {
        for (const keeper of keepers) keeper.follow()
      },
      view: () => keepers.map(keeper => keeper.view()),
      pending: () => keepers.reduce((sum, keeper) => sum + keeper.view().streams, server.pendingRequests),
      serve: (request, peer) => {
        guests.set(request, { peer })
        return surface.serve(request)
      },
      stop: graceMs => {
        const drained = drain(drainable(keepers, close), {
          timers,
          graceMs,
          onLate: () => endRunning(gateway, timers),
        })
        surface.sockets.finish()
        return drained
      },
    }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** The first one takes the port, the others share it. */
async function startAll([first, ...others]: readonly RelayKeeper[], wanted: number): Promise<number> {
  if (first === undefined) throw new Error("there are no relays to start")
  const port = await first.start(wanted)
  await Promise.all(others.map(keeper => keeper.start(port)))
  return port
}

/** Waits for the relays as a server waits for its connections. */
function drainable(keepers: readonly RelayKeeper[], close: () => Promise<void>) {
  return {
    stop: async (isNow?: boolean): Promise<void> => {
      if (isNow === true) return close()
      await Promise.all(keepers.map(keeper => keeper.drain()))
    },
  }
}
