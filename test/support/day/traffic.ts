/** Who asks what, and when: conversations that come and go with the hour, single requests, bursts. */

import type { JsonObject } from "#core/json.ts"

import type { Asked, Work } from "./asked.ts"
import { BURSTS, COMMON_MODEL, loadAt, type Model, PEAK_LOAD, RARE_MODEL } from "./calendar.ts"
import { type Chance, makeChance } from "./chance.ts"
import { type ClientParts, send, userItem } from "./client.ts"
import { CACHE_LIFE_MS, cacheable } from "./prompt-cache.ts"

/** How much traffic, and for how long. */
export type TrafficPlan = {
  readonly seed: number
  /** In an average hour of the day, bursts not counted. */
  readonly requestsPerHour: number
  readonly toMs: number
}

/** What the traffic has come to. */
export type Traffic = {
  /** Turns of conversations whose last turn was served while the cache held: what could be cached, and what was. */
  readonly cache: { cacheableTokens: number; cachedTokens: number }
  readonly conversations: { count: number; turns: number; moves: number }
  /** All input tokens of conversations' turns that were served. */
  readonly input: { tokens: number; cachedTokens: number }
}

/** What traffic is made with; `ask` enters a request into the books. */
export type TrafficParts = ClientParts & {
  readonly plan: TrafficPlan
  readonly ask: (draft: Pick<Asked, "conversation" | "model" | "work" | "leavesAfterMs">) => Asked
}

/** Of the requests; the rest stand alone. */
const CONVERSATION_SHARE = 0.75
const MEAN_TURNS = 12
const RARE_SHARE = 0.08
const LEAVING_SHARE = 0.003
const KEYS = 24
/** Turns whose items a client still sends whole; what came before is in a summary. */
const KEPT_TURNS = 3
/** After a failure the user looks at the screen, then tries again. */
const RETRY_AFTER_MS = 20_000
const MAX_FAILURES = 3

type Counts = { readonly traffic: Traffic; conversations: number }
type Desk = TrafficParts & Counts & { readonly chance: Chance }

/** Starts it; it goes on by itself until the plan's end, and conversations that run then are finished. */
export function startTraffic(parts: TrafficParts): Traffic {
  const traffic: Traffic = {
    cache: { cacheableTokens: 0, cachedTokens: 0 },
    conversations: { count: 0, turns: 0, moves: 0 },
    input: { tokens: 0, cachedTokens: 0 },
  }
  const desk: Desk = { ...parts, traffic, conversations: 0, chance: makeChance(parts.plan.seed, "arrivals") }
  const perHour = parts.plan.requestsPerHour
  comeAndGo(desk, (perHour * CONVERSATION_SHARE) / MEAN_TURNS, () => void converse(desk))
  comeAndGo(
    desk,
    perHour * (1 - CONVERSATION_SHARE),
    () => void askOnce(desk, modelOf(desk.chance), keyOf(desk.chance)),
  )
  for (const { atMs, lastsMs, share, model } of BURSTS) {
    const waitMs = atMs - parts.clock()
    if (waitMs < 0 || atMs >= parts.plan.toMs) continue
    const count = Math.round(perHour * share)
    for (let index = 0; index < count; index++) {
      parts.timers.after(waitMs + (lastsMs * index) / count, () => void askOnce(desk, model, "burst"))
    }
  }
  return traffic
}

/** Arrivals at a rate that follows the hour: drawn at the peak's rate, and thinned out. */
function comeAndGo(desk: Desk, perHour: number, arrive: () => void): void {
  const { clock, timers, chance, plan } = desk
  const meanMs = 3_600_000 / (perHour * PEAK_LOAD)
  const next = () => {
    timers.after(chance.exponential(meanMs), () => {
      if (clock() >= plan.toMs) return
      if (chance.happens(loadAt(clock()) / PEAK_LOAD)) arrive()
      next()
    })
  }
  next()
}

function modelOf(chance: Chance): Model {
  return chance.happens(RARE_SHARE) ? RARE_MODEL : COMMON_MODEL
}

/** A few keys ask most. */
function keyOf(chance: Chance): string {
  return `key-${Math.floor(KEYS * chance.next() ** 2)}`
}

function workOf(chance: Chance, prefixTokens: number): Work {
  const isFirst = prefixTokens === 0
  return {
    prefixTokens,
    inputTokens: prefixTokens + Math.round(isFirst ? chance.logNormal(7_000, 0.4) : chance.logNormal(1_200, 0.7)),
    outputTokens: Math.round(Math.min(8_000, chance.logNormal(600, 0.8))),
    thinkMs: Math.round(Math.min(60_000, chance.logNormal(2_500, 0.7))),
    writeMs: Math.round(Math.min(600_000, chance.logNormal(60_000, 0.8))),
  }
}

function leavingOf(chance: Chance): number | undefined {
  return chance.happens(LEAVING_SHARE) ? Math.round(chance.exponential(15_000)) : undefined
}

async function askOnce(desk: Desk, model: Model, keyId: string): Promise<void> {
  const { chance } = desk
  const asked = desk.ask({ conversation: undefined, model, work: workOf(chance, 0), leavesAfterMs: leavingOf(chance) })
  await send(asked, { keyId, session: undefined, history: [] }, desk)
}

type Conversation = {
  readonly number: number
  readonly chance: Chance
  readonly model: Model
  readonly keyId: string
  readonly history: (readonly JsonObject[])[]
  prefixTokens: number
  servedBy: number | undefined
  servedAtMs: number
}

async function converse(desk: Desk): Promise<void> {
  desk.conversations += 1
  const number = desk.conversations
  // A source of its own: what a conversation asks does not depend on how fast others are served.
  const chance = makeChance(desk.plan.seed, `conversation ${number}`)
  const talk: Conversation = {
    number,
    chance,
    model: modelOf(chance),
    keyId: keyOf(chance),
    history: [],
    prefixTokens: 0,
    servedBy: undefined,
    servedAtMs: 0,
  }
  desk.traffic.conversations.count += 1
  const turns = 1 + Math.floor(chance.exponential(MEAN_TURNS - 1))
  let failures = 0
  for (let turn = 0; turn < turns && failures < MAX_FAILURES; ) {
    const isServed = await takeTurn(desk, talk)
    if (isServed) turn += 1
    failures = isServed ? 0 : failures + 1
    await pause(desk, isServed ? thinkingMs(chance) : RETRY_AFTER_MS)
    if (desk.clock() >= desk.plan.toMs) return
  }
}

/** Mostly seconds; now and then somebody goes for lunch. */
function thinkingMs(chance: Chance): number {
  return chance.happens(0.03) ? chance.logNormal(20 * 60_000, 0.7) : chance.logNormal(20_000, 0.9)
}

function pause({ timers }: Desk, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    timers.after(delayMs, resolve)
  })
}

async function takeTurn(desk: Desk, talk: Conversation): Promise<boolean> {
  const { chance, number, model, keyId, history } = talk
  const work = workOf(chance, talk.prefixTokens)
  const isWarm = talk.servedBy !== undefined && desk.clock() - talk.servedAtMs <= CACHE_LIFE_MS
  const asked = desk.ask({ conversation: number, model, work, leavesAfterMs: leavingOf(chance) })
  const items = await send(asked, { keyId, session: `thread-${number}`, history: history.flat() }, desk)
  if (asked.outcome !== "served") return false
  const { traffic } = desk
  traffic.conversations.turns += 1
  traffic.input.tokens += work.inputTokens
  traffic.input.cachedTokens += asked.cachedTokens
  if (isWarm) {
    traffic.cache.cacheableTokens += cacheable(work.prefixTokens)
    traffic.cache.cachedTokens += asked.cachedTokens
  }
  if (talk.servedBy !== undefined && talk.servedBy !== asked.servedBy) traffic.conversations.moves += 1
  talk.servedBy = asked.servedBy
  talk.servedAtMs = desk.clock()
  talk.prefixTokens = work.inputTokens + work.outputTokens
  history.push([userItem(asked.number), ...items])
  if (history.length > KEPT_TURNS) history.shift()
  return true
}
