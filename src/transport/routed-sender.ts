/** Sends each request through the way out it names, and through no other. */

import type { Clock } from "#core/clock.ts"
import { DIRECT_EGRESS_NAME } from "#core/egress-names.ts"

import { DIRECT_EGRESS, type Egress } from "./egress.ts"
import { type Gate, makeGate } from "./gate.ts"
import { makeSender, type Sender } from "./sender.ts"
import { unknownEgress } from "./transport-error.ts"
import type { FetchProxy } from "./way-out.ts"

/** Parts of a routed sender. */
export type RoutedSenderParts = {
  /** The way out of requests that name none. */
  readonly standard: Egress
  /** Ways out that accounts have of their own, each under its id. */
  readonly others: readonly Egress[]
  readonly clock: Clock
}

/** One way out as it is put behind a name; `maxConcurrent` 0 = no limit. */
export type NamedWay = { readonly egress: Egress; readonly maxConcurrent: number }

/** A sender with several ways out. `lastActivityAtMs` speaks of the standard one. */
export type RoutedSender = Omit<Sender, "proxy"> & {
  /**
   * Puts a way behind a name, instead of the one that is there; undefined takes it away. Requests that are under way
   * finish where they are. The same way again keeps its connections.
   */
  readonly setWay: (name: string, way: NamedWay | undefined) => void
  /**
   * What a connection that is no request (a WebSocket) has to be told to take an account's way out; undefined = the
   * configured one. Rejects with `upstream-unavailable` for a way that is not there or cannot be opened: never connect then.
   */
  readonly proxyOf: (egress: string | undefined) => Promise<FetchProxy>
}

type OpenWay = { readonly id: string; readonly sender: Sender; readonly gate: Gate }

/**
 * Makes the sender. Every way out has a pool of its own. A request that names a way out which does not exist rejects with
 * `upstream-unavailable`: taking another one would show the account to the upstream from a place its owner did not choose.
 */
export function makeRoutedSender({ standard, others, clock }: RoutedSenderParts): RoutedSender {
  const main = makeSender({ egress: standard, clock })
  const byName = new Map<string, OpenWay>()

  function setWay(name: string, way: NamedWay | undefined): void {
    const before = byName.get(name)
    if (way !== undefined && before?.id === way.egress.id) {
      before.gate.setMax(way.maxConcurrent)
      return
    }
    byName.delete(name)
    before?.sender.close()
    if (way === undefined) return
    const sender = makeSender({ egress: way.egress, clock })
    const gate = makeGate(sender.send)
    gate.setMax(way.maxConcurrent)
    byName.set(name, { id: way.egress.id, sender, gate })
  }

  function wayOf(name: string): OpenWay {
    const way = byName.get(name)
    if (way === undefined) throw unknownEgress()
    return way
  }

  setWay(DIRECT_EGRESS_NAME, { egress: DIRECT_EGRESS, maxConcurrent: 0 })
  for (const egress of others) setWay(egress.id, { egress, maxConcurrent: 0 })
  return {
    send: async (request, signal) => {
      if (request.egress === undefined) return main.send(request, signal)
      const way = wayOf(request.egress)
      return way.gate.pass(request, signal)
    },
    lastActivityAtMs: main.lastActivityAtMs,
    close: () => {
      main.close()
      for (const { sender } of byName.values()) sender.close()
    },
    setWay,
    proxyOf: async egress => (egress === undefined ? main : wayOf(egress).sender).proxy(),
  }
}
