/** Tries one way out: whether it leads anywhere, how fast, and which address the other end sees. */

import { isIP } from "node:net"

import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import { isJsonObject } from "#core/json.ts"
import type { Egress } from "#transport/egress.ts"
import { readBody } from "#transport/read-body.ts"
import { makeSender } from "#transport/sender.ts"

/** What became of a try. `exitAddress` is what an echo service said, absent when there was none or it said something else. */
export type WayReport =
  | { readonly type: "works"; readonly status: number; readonly latencyMs: number; readonly exitAddress?: string }
  | { readonly type: "fails"; readonly reason: string; readonly hint?: string }

/** Parts of a try. `url` is asked once; any answer shows that the way leads there. */
export type ProbeParts = {
  readonly url: string
  readonly clock: Clock
  readonly timers: Timers
  readonly signal: AbortSignal
}

/** An address is short; whatever is longer is no answer of an echo service. */
const MAX_ECHO_BYTES = 4096

const BODY_DEADLINE_MS = 5_000

/** Asks `url` through one way out, which is closed again. The latency includes setting the connection up. Never rejects. */
export async function probeWay(egress: Egress, { url, clock, timers, signal }: ProbeParts): Promise<WayReport> {
  const sender = makeSender({ egress, clock })
  const startedAtMs = clock()
  try {
    const headers = { accept: "text/plain, application/json" }
    const reply = await sender.send({ method: "GET", url, headers, egress: undefined }, signal)
    const latencyMs = clock() - startedAtMs
    const options = { timers, deadlineMs: BODY_DEADLINE_MS, signal, maxBytes: MAX_ECHO_BYTES }
    const exitAddress = addressIn((await readBody(reply.body, options)).text)
    return { type: "works", status: reply.status, latencyMs, ...(exitAddress !== undefined && { exitAddress }) }
  } catch (cause) {
    // That a way does not work is what this is there to tell.
    const { message, hint } = toGatewayError(cause)
    return { type: "fails", reason: message, ...(hint !== undefined && { hint }) }
  } finally {
    sender.close()
  }
}

/** Echo services answer with the bare address, or with an object that has it under `ip` or `origin`. */
function addressIn(text: string): string | undefined {
  const bare = text.trim()
  if (isIP(bare) !== 0) return bare
  try {
    const value: unknown = JSON.parse(bare)
    const named = isJsonObject(value) ? (value["ip"] ?? value["origin"]) : undefined
    return typeof named === "string" && isIP(named) !== 0 ? named : undefined
  } catch {
    // A page instead of an address: the way works, and says nothing about where it ends.
    return undefined
  }
}

/** Where checks ask: an echo service when one is configured, and the upstream's own origin. */
export type ProbeTarget = Omit<ProbeParts, "url"> & {
  /** Empty = none. */
  readonly echoUrl: string
  readonly upstreamUrl: string
}

/** How long one question may take. */
const ASK_MS = 10_000

/** As {@link probeWay}, but not for ever. */
export function askOnce(egress: Egress, parts: ProbeParts): Promise<WayReport> {
  return probeWay(egress, { ...parts, signal: AbortSignal.any([parts.signal, AbortSignal.timeout(ASK_MS)]) })
}

/**
 * Asks the echo service and, when that does not answer, the upstream: a proxy is not to blame for somebody else's service.
 * Never rejects.
 */
export async function probeTarget(egress: Egress, { echoUrl, upstreamUrl, ...parts }: ProbeTarget): Promise<WayReport> {
  const ask = (url: string) => askOnce(egress, { ...parts, url })
  const said = echoUrl === "" ? undefined : await ask(echoUrl)
  return said?.type === "works" && said.status < 500 ? said : ask(upstreamUrl)
}
