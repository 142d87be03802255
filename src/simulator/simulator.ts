/** Starts a simulated Codex backend on a port. It is for tests and demonstrations, and says so wherever it speaks. */

import { type Clock, systemClock, systemTimers, type Timers } from "#core/clock.ts"

import { makeControl, type SimulatorControl } from "./control.ts"
import { makeRouter } from "./router.ts"
import type { SocketSession } from "./socket/wire.ts"
import { makeWorld } from "./world.ts"

/** What can be chosen at the start. */
export type SimulatorOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** How many accounts exist at once, named `account-1` … Default 1. */
  readonly accounts?: number
  /** Plan of those accounts. Default `plus`. */
  readonly plan?: string
  /** What a request uses of each usage window, in percent. Default 0, so that tests never run dry by accident. */
  readonly usePercentPerRequest?: number
  /** Same seed, same order of calls: same ids. Default `sluice`. */
  readonly seed?: string
  /** How many requests the recorder keeps. Default 1000. */
  readonly recordLimit?: number
  /** Largest frame a WebSocket takes; larger ones close it with 1009. Default 16 MiB. */
  readonly maxFrameBytes?: number
  readonly clock?: Clock
  readonly timers?: Timers
}

/** A running simulator. `url` is its origin, without a path and without a slash at the end. */
export type Simulator = {
  readonly url: string
  readonly port: number
  readonly control: SimulatorControl
  /** Breaks all connections off and frees the port. */
  readonly stop: () => Promise<void>
}

/** Starts a simulator. */
export function startSimulator(options: SimulatorOptions = {}): Simulator {
  const world = makeWorld({
    clock: options.clock ?? systemClock,
    timers: options.timers ?? systemTimers,
    seed: options.seed ?? "sluice",
    recordLimit: options.recordLimit ?? 1000,
    usePercentPerRequest: options.usePercentPerRequest ?? 0,
  })
  for (let index = 0; index < (options.accounts ?? 1); index += 1) {
    world.accounts.create(options.plan === undefined ? {} : { plan: options.plan })
  }
  const control = makeControl(world)
  const route = makeRouter(world, control)
  const hostname = options.host ?? "127.0.0.1"
  const server = Bun.serve({
    hostname,
    port: options.port ?? 0,
    // A scripted stream may be silent for minutes.
    idleTimeout: 0,
    development: false,
    maxRequestBodySize: 256 * 1024 * 1024,
    fetch: (request, server) => route(request, session => server.upgrade(request, { data: session })),
    websocket: {
      data: {} as SocketSession,
      idleTimeout: 0,
      sendPings: false,
      maxPayloadLength: options.maxFrameBytes ?? 16 * 1024 * 1024,
      // What waits here is one answer at most: the session sends nothing more before it is gone.
      backpressureLimit: 256 * 1024 * 1024,
      open: socket =>
        socket.data.opened({
          send: text => socket.send(text) > 0,
          close: (code, reason) => socket.close(code, reason),
          terminate: () => socket.terminate(),
        }),
      message: (socket, data) => socket.data.message(data),
      drain: socket => socket.data.drained(),
      close: socket => socket.data.closed(),
    },
  })
  // A TCP server always has a port; only one on a Unix socket has none.
  const port = server.port ?? 0
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    port,
    control,
    stop: async () => {
      control.release()
      await server.stop(true)
    },
  }
}
