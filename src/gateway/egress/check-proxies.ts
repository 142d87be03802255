/** Asks the proxies from time to time whether they still lead anywhere; apart from all requests. */

import type { Clock, Timers } from "#core/clock.ts"
import { mapLimited } from "#gateway/pool/map-limited.ts"
import type { Egress } from "#transport/egress.ts"

import type { WayReport } from "./probe-way.ts"
import { egressOfProxy, type KeptProxy, type ProxyBook } from "./proxy-book.ts"
import { nextCheckAtMs, noteCheck, type ProxyCheck } from "./proxy-health.ts"

/** What checking needs. */
export type ProxyChecksParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly book: ProxyBook
  /** Tries one way; never rejects. */
  readonly probe: (egress: Egress, signal: AbortSignal) => Promise<WayReport>
  /** The usual pace; 0 = nobody is asked unless somebody orders it. */
  readonly intervalMs: () => number
  /** Looks, with every round, where the configured way comes out. Never rejects; default: nothing is asked. */
  readonly lookAtStandard?: (signal: AbortSignal) => Promise<void>
  /** Told of a proxy that has fallen, risen, or been found to work for the first time. */
  readonly turned: (proxy: KeptProxy) => void
  /** Called after every round. Must not throw. */
  readonly checked: () => void
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** The checks. */
export type ProxyChecks = {
  /** Checks these now, whatever their pace, and returns them as they are known afterwards. Rejects with the signal's reason. */
  readonly check: (
    proxies: readonly KeptProxy[],
    onChecked: (proxy: KeptProxy) => void,
    signal?: AbortSignal,
  ) => Promise<readonly KeptProxy[]>
  /** Checks those that are due. */
  readonly checkDue: () => Promise<void>
  /** Starts the rounds; the returned function ends them. */
  readonly start: () => () => void
}

/** How often is looked who is due. */
const TICK_MS = 5_000
const AT_A_TIME = 8

/** Makes the checks. */
export function makeProxyChecks(parts: ProxyChecksParts): ProxyChecks {
  const { clock, book } = parts
  const stopped = new AbortController()
  let isRunning = false

  async function ask(proxy: KeptProxy, signal: AbortSignal): Promise<ProxyCheck> {
    const way = egressOfProxy(proxy)
    if (way === undefined) return { type: "fails", reason: "Its address cannot be used." }
    const report = await parts.probe(way, signal)
    if (report.type === "fails") return report
    const { latencyMs, exitAddress } = report
    return { type: "works", latencyMs, ...(exitAddress !== undefined && { exitAddress }) }
  }

  function note(proxy: KeptProxy, check: ProxyCheck): KeptProxy {
    const health = noteCheck(book.get(proxy.id)?.health ?? proxy.health, check, clock())
    const before = book.get(proxy.id)
    book.noteHealth(proxy, health)
    const after = book.get(proxy.id)
    if (after !== undefined && before?.health.state !== after.health.state) parts.turned(after)
    return after ?? { ...proxy, health }
  }

  async function round(inUse: readonly KeptProxy[], due: readonly KeptProxy[]): Promise<void> {
    const results = await mapLimited(due, AT_A_TIME, async proxy => ({
      proxy,
      check: await ask(proxy, stopped.signal),
    }))
    await parts.lookAtStandard?.(stopped.signal)
    if (stopped.signal.aborted) return
    // What fails for all of them is rather the place that was asked, or this machine's own line.
    const isCommon = inUse.length > 1 && results.filter(({ check }) => check.type === "fails").length === inUse.length
    for (const { proxy, check } of results) {
      if (isCommon && check.type === "fails") book.noteHealth(proxy, unblamed(proxy, check.reason, clock()))
      else note(proxy, check)
    }
    parts.checked()
  }

  async function checkDue(): Promise<void> {
    const intervalMs = parts.intervalMs()
    if (isRunning || intervalMs === 0) return
    const inUse = book.list().filter(({ enabled }) => enabled)
    const due = inUse.filter(({ health }) => nextCheckAtMs(health, intervalMs) <= clock())
    if (due.length === 0) return
    isRunning = true
    try {
      await round(inUse, due)
    } finally {
      isRunning = false
    }
  }

  return {
    check: async (proxies, onChecked, signal = stopped.signal) => {
      const checked = await mapLimited(proxies, AT_A_TIME, async proxy => {
        signal.throwIfAborted()
        const check = await ask(proxy, signal)
        // A check that was called off has found nothing out.
        signal.throwIfAborted()
        const after = note(proxy, check)
        onChecked(after)
        return after
      })
      parts.checked()
      return checked
    },
    checkDue,
    start: () => {
      const look = () => {
        checkDue().catch(cause => parts.reportFailure("checking the proxies", cause))
      }
      const cancel = parts.timers.every(TICK_MS, look)
      look()
      return () => {
        cancel()
        stopped.abort()
      }
    },
  }
}

/** The failure is shown and counts for nothing. */
function unblamed({ health }: KeptProxy, failure: string, nowMs: number) {
  return { ...health, failure: `${failure} (so did all the others)`, checkedAtMs: nowMs }
}
