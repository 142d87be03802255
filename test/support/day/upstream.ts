/**
 * The upstream of the day, at the transport's door: it stands where `fetch` would be called. Sign-in, the checks of requests,
 * refusals and the seals of encrypted reasoning are the simulator's; time, limits and fates are the day's.
 */

import type { Clock, Timers } from "#core/clock.ts"
import { type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import type { SendUpstream, UpstreamReply, UpstreamRequest } from "#core/upstream.ts"
import { authorise } from "#simulator/accounts/access.ts"
import { exhaustedRefusal, quotaHeaders, usageBody } from "#simulator/accounts/quota-wire.ts"
import { readPrompt } from "#simulator/answers/prompt.ts"
import { refuseRequest } from "#simulator/checks/checks.ts"
import { detailRefusal, errorRefusal, htmlRefusal, jsonRefusal } from "#simulator/refusal.ts"
import { seal } from "#simulator/seal.ts"
import type { World } from "#simulator/world.ts"
import { readTransportError } from "#transport/transport-error.ts"

import { type AnswerEvents, answerEvents } from "./answer-events.ts"
import { type AnswerStream, type Chunk, startAnswer } from "./answer-stream.ts"
import { type Asked, numberIn } from "./asked.ts"
import { BROWNOUT, deathOf, isWithin, outageAt } from "./calendar.ts"
import type { Chance } from "./chance.ts"
import { quotaViewOf } from "./hidden-quota.ts"
import { type HiddenAccount, spentUntilMs } from "./population.ts"
import { type CachePlace, makeDayPromptCache } from "./prompt-cache.ts"
import { jsonReply, refusalReply, replyOf } from "./replies.ts"
import { exchangeToken } from "./token-endpoint.ts"

/** What the upstream counts. */
export type UpstreamCounts = {
  /** Refused for pace or for too many at a time. */
  bursts: number
  spentRefusals: number
  /** Of these, on accounts that the gateway had been told are spent, before their reset. */
  askedAgain: number
  foreignReasoning: number
  tokenExchanges: number
  serverFailures: number
}

/** The upstream. */
export type DayUpstream = {
  readonly send: SendUpstream
  readonly counts: UpstreamCounts
  /** Answers under way. */
  readonly live: () => number
  /** Answers that are under way break off, about this share of them. */
  readonly breakOff: (share: number) => void
}

/** What it is made of. */
export type DayUpstreamParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly chance: Chance
  readonly world: World
  readonly accounts: readonly HiddenAccount[]
  readonly asked: ReadonlyMap<number, Asked>
}

type Desk = DayUpstreamParts & {
  readonly byName: ReadonlyMap<string, HiddenAccount>
  readonly cache: ReturnType<typeof makeDayPromptCache>
  readonly counts: UpstreamCounts
  readonly running: Map<AnswerStream, Asked>
}

/** Makes the upstream. */
export function makeDayUpstream(parts: DayUpstreamParts): DayUpstream {
  const counts = {
    bursts: 0,
    spentRefusals: 0,
    askedAgain: 0,
    foreignReasoning: 0,
    tokenExchanges: 0,
    serverFailures: 0,
  }
  const desk: Desk = {
    ...parts,
    byName: new Map(parts.accounts.map(hidden => [hidden.simulated.name, hidden])),
    cache: makeDayPromptCache(parts.clock),
    counts,
    running: new Map(),
  }
  return {
    send: (request, signal) => receive(desk, request, signal),
    counts,
    live: () => desk.running.size,
    breakOff: share => {
      for (const stream of [...desk.running.keys()]) if (parts.chance.happens(share)) stream.cut()
    },
  }
}

/** One request on the wire: through its proxy if it has one, then to the endpoint it names. */
async function receive(desk: Desk, request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamReply> {
  const death = deathOf(request.egress, desk.clock())
  if (death !== undefined) {
    await pass(desk, death.afterMs, signal)
    throw readTransportError(Object.assign(new Error(death.code), { code: death.code }), {
      phase: "headers",
      proxied: true,
      client: signal,
    })
  }
  const isTurn = request.url.endsWith("/responses")
  const sentAtMs = desk.clock()
  const body = parseJsonObject(request.body ?? "") ?? {}
  const asked = isTurn ? noteArrival(desk, body) : undefined
  await pass(desk, desk.chance.between(60, 250), signal)
  const outage = outageAt(desk.clock())
  if (outage !== undefined && !request.url.endsWith("/oauth/token")) {
    desk.counts.serverFailures += 1
    return refusalReply(
      outage.status === 404 ? detailRefusal("Not Found", 404) : htmlRefusal(503, "<html>upstream</html>"),
    )
  }
  if (isTurn) return serveTurn(desk, request, { body, asked, signal, sentAtMs })
  if (request.url.endsWith("/usage")) return serveUsage(desk, request)
  if (request.url.endsWith("/oauth/token")) {
    desk.counts.tokenExchanges += 1
    return exchangeToken(desk.world, request.body ?? "", desk.clock())
  }
  return refusalReply(detailRefusal("Not Found", 404))
}

/** Resolves after virtual time; rejects as the transport does when the caller aborts. */
function pass({ timers }: Desk, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      cancel()
      reject(readTransportError(signal.reason, { phase: "headers", proxied: false, client: signal }))
    }
    const cancel = timers.after(delayMs, () => {
      signal.removeEventListener("abort", fail)
      resolve()
    })
    if (signal.aborted) fail()
    else signal.addEventListener("abort", fail, { once: true })
  })
}

function noteArrival(desk: Desk, body: JsonObject): Asked | undefined {
  const number = numberIn(readPrompt(body).typedText)
  const asked = number === undefined ? undefined : desk.asked.get(number)
  if (asked === undefined) return undefined
  asked.dispatches += 1
  asked.firstDispatchAtMs ??= desk.clock()
  return asked
}

type Turn = {
  readonly body: JsonObject
  readonly asked: Asked | undefined
  readonly signal: AbortSignal
  readonly sentAtMs: number
}

/** The checks in the backend's order: who asks, whether the request is sound, whether it may. */
function serveTurn(desk: Desk, request: UpstreamRequest, turn: Turn): UpstreamReply {
  const { body, asked, signal } = turn
  const headers = new Headers(request.headers)
  const access = authorise(desk.world, headers, "chatgpt")
  if ("refusal" in access) return refusalReply(access.refusal)
  const call = { mode: "chatgpt", endpoint: "responses", headers, body, account: access.account } as const
  const unsound = refuseRequest({ ...call, rules: desk.world.rules() })
  if (unsound !== undefined) {
    if (unsound.body.includes("invalid_encrypted_content")) desk.counts.foreignReasoning += 1
    return refusalReply(unsound)
  }
  const hidden = desk.byName.get(access.account.name)
  if (hidden === undefined || asked === undefined) return refusalReply(errorRefusal({ message: "unknown request" }))
  const refusal = refuseForQuota(desk, hidden, turn.sentAtMs) ?? refuseForPace(desk, hidden)
  if (refusal !== undefined) return refusal
  const cacheKey = stringAt(body, "prompt_cache_key") ?? ""
  const place = { account: hidden.simulated.name, session: headers.get("session-id") ?? "", cacheKey }
  return answer(desk, { hidden, asked, place, signal })
}

function refuseForQuota(desk: Desk, hidden: HiddenAccount, sentAtMs: number): UpstreamReply | undefined {
  const nowMs = desk.clock()
  const untilMs = spentUntilMs(hidden, nowMs)
  if (untilMs === 0) return undefined
  desk.counts.spentRefusals += 1
  if (hidden.toldSpentAtMs > 0 && sentAtMs > hidden.toldSpentAtMs && nowMs < hidden.spentUntilMs)
    desk.counts.askedAgain += 1
  if (nowMs >= hidden.spentUntilMs) hidden.toldSpentAtMs = nowMs
  hidden.spentUntilMs = untilMs
  const view = quotaViewOf(hidden, nowMs)
  return refusalReply(exhaustedRefusal(view), quotaHeaders(view))
}

const PACE_MS = 10_000

/** Too many at a time, or too many starts: with a word about it, without one, or inside a stream that began well. */
function refuseForPace(desk: Desk, hidden: HiddenAccount): UpstreamReply | undefined {
  const nowMs = desk.clock()
  if (hidden.live >= hidden.maxLive) {
    desk.counts.bursts += 1
    const message = "Concurrency limit exceeded for account, please retry later"
    if (desk.chance.happens(0.3)) return failedStream(desk, "rate_limit_exceeded", message)
    return refusalReply(jsonRefusal(429, { error: { type: "requests", code: "rate_limit_exceeded", message } }))
  }
  hidden.starts = hidden.starts.filter(startMs => nowMs - startMs < PACE_MS)
  if (hidden.starts.length < hidden.maxStarts) return undefined
  desk.counts.bursts += 1
  const message = "Rate limit reached for requests. Please try again in 2.5s."
  return refusalReply(jsonRefusal(429, { error: { type: "requests", code: "rate_limit_exceeded", message } }))
}

type Serving = {
  readonly hidden: HiddenAccount
  readonly asked: Asked
  readonly place: CachePlace
  readonly signal: AbortSignal
}

function answer(desk: Desk, serving: Serving): UpstreamReply {
  const { hidden, asked, place, signal } = serving
  const { clock, chance, world } = desk
  const nowMs = clock()
  if (isWithin(BROWNOUT, nowMs) && chance.happens(BROWNOUT.share)) return brownOut(desk)
  hidden.live += 1
  hidden.starts.push(nowMs)
  hidden.dispatches += 1
  const nowSec = Math.floor(nowMs / 1000)
  const cachedTokens = desk.cache.read(place, asked)
  const sealed = () => seal(hidden.simulated, { nowSec, filler: world.ids.hex(64) })
  const events = answerEvents({ asked, ids: world.ids, nowSec, sealed, cachedTokens })
  const { work } = asked
  let hasOutput = false
  const chunks: readonly Chunk[] = [
    { afterMs: 0, events: events.opening },
    {
      afterMs: work.thinkMs * hidden.slowness,
      events: () => {
        hasOutput = true
        return events.firstOutput()
      },
    },
    ...writing(work.writeMs * hidden.slowness, events),
  ]
  const ended = (how: "whole" | "left" | "cut") => {
    hidden.live -= 1
    desk.running.delete(stream)
    if (how === "cut") asked.wasCut ||= hasOutput
    if (how === "whole") {
      hidden.served += 1
      asked.servedBy = Number(hidden.simulated.name.slice("account-".length))
      asked.cachedTokens = cachedTokens
      desk.cache.write(place, asked)
    }
    book(hidden, asked, { cachedTokens, isWhole: how === "whole", nowMs: clock() })
  }
  const stream = startAnswer({ timers: desk.timers, chunks, signal, ended })
  desk.running.set(stream, asked)
  return replyOf(200, { "content-type": "text/event-stream", ...headersOf(desk, hidden) }, stream.body)
}

/** A model that writes for minutes shows every now and then that it does. */
const SIGN_OF_LIFE_MS = 60_000

function writing(totalMs: number, events: AnswerEvents): readonly Chunk[] {
  const signs = Math.floor(totalMs / SIGN_OF_LIFE_MS)
  const chunks = Array.from({ length: signs }, () => ({ afterMs: SIGN_OF_LIFE_MS, events: events.more }))
  return [...chunks, { afterMs: totalMs - signs * SIGN_OF_LIFE_MS, events: events.rest }]
}

/** What reads 100 % here is the gateway told, as by a refusal. */
function headersOf({ clock }: Desk, hidden: HiddenAccount): Record<string, string> {
  return quotaHeaders(quotaViewOf(hidden, clock()))
}

/** An answer's price in requests of average size; what is read from the cache costs a tenth. */
function book(
  hidden: HiddenAccount,
  { work }: Asked,
  { cachedTokens, isWhole, nowMs }: { cachedTokens: number; isWhole: boolean; nowMs: number },
): void {
  const outputTokens = isWhole ? work.outputTokens : work.outputTokens / 2
  const price = (work.inputTokens - 0.9 * cachedTokens + 5 * outputTokens) / AVERAGE_PRICE
  spentUntilMs(hidden, nowMs)
  for (const window of hidden.windows) window.used += price
}

const AVERAGE_PRICE = 9_000

/** The forms in which an upstream that is not well fails before any output. */
function brownOut(desk: Desk): UpstreamReply {
  desk.counts.serverFailures += 1
  const which = desk.chance.below(3)
  if (which === 0)
    return refusalReply(jsonRefusal(500, { error: { type: "server_error", code: "server_error", message: "" } }))
  if (which === 1) {
    const message = "Our servers are currently overloaded. Please try again later."
    return refusalReply(jsonRefusal(503, { error: { type: "server_error", code: "server_is_overloaded", message } }))
  }
  return failedStream(desk, "server_is_overloaded", "Our servers are currently overloaded.")
}

/** A 200 whose stream fails before it has put anything out. */
function failedStream(desk: Desk, code: string, message: string): UpstreamReply {
  const nobody = { number: 0, model: "", work: {} } as unknown as Asked
  const nowSec = Math.floor(desk.clock() / 1000)
  const events = answerEvents({ asked: nobody, ids: desk.world.ids, nowSec, sealed: () => "", cachedTokens: 0 })
  const chunks = [
    { afterMs: 0, events: events.opening },
    { afterMs: 300, events: () => events.failure(code, message) },
  ]
  const { body } = startAnswer({ timers: desk.timers, chunks, signal: new AbortController().signal, ended: () => {} })
  return replyOf(200, { "content-type": "text/event-stream" }, body)
}

function serveUsage(desk: Desk, request: UpstreamRequest): UpstreamReply {
  const access = authorise(desk.world, new Headers(request.headers), "chatgpt")
  if ("refusal" in access) return refusalReply(access.refusal)
  const hidden = desk.byName.get(access.account.name)
  if (hidden === undefined) return refusalReply(detailRefusal("Not Found", 404))
  const body = usageBody(quotaViewOf(hidden, desk.clock()))
  return jsonReply(200, body)
}
