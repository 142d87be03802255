/** Sends each request through the way out it names, and through no other. */

import type { Clock } from "#core/clock.ts"
import type { SendUpstream } from "#core/upstream.ts"

import type { Egress } from "./egress.ts"
import { makeSender, type Sender } from "./sender.ts"
import { unknownEgress } from "./transport-error.ts"
import type { FetchProxy } from "./way-out.ts"

/** Parts of a routed sender. */
export type RoutedSenderParts = {
  /** The way out of requests that name none. */
  readonly standard: Egress
  /** Ways out that accounts have of their own. */
  readonly others: readonly Egress[]
  readonly clock: Clock
}

/** The sender of many ways out. */
export type RoutedSender = Omit<Sender, "proxy"> & {
  /** The proxy of the way out with this name; rejects as `send` does when there is no such way. */
  readonly proxyOf: (egress: string | undefined) => Promise<FetchProxy>
}

/**
 * Makes the sender. Every way out has a pool of its own; `lastActivityAtMs` speaks of the standard one. A request that
 * names a way out which does not exist rejects with `upstream-unavailable`: taking another one would show the account to
 * the upstream from a place its owner did not choose.
 */
export function makeRoutedSender({ standard, others, clock }: RoutedSenderParts): RoutedSender {
  const main = makeSender({ egress: standard, clock })
  const byName = new Map<string, Sender>()
  for (const egress of others) if (!byName.has(egress.id)) byName.set(egress.id, makeSender({ egress, clock }))
  const senderOf = (egress: string | undefined) => {
    const sender = egress === undefined ? main : byName.get(egress)
    if (sender === undefined) throw unknownEgress()
    return sender
  }
  const send: SendUpstream = async (request, signal) => senderOf(request.egress).send(request, signal)
  return {
    send,
    proxyOf: async egress => senderOf(egress).proxy(),
    lastActivityAtMs: main.lastActivityAtMs,
    close: () => {
      main.close()
      for (const sender of byName.values()) sender.close()
    },
  }
}
