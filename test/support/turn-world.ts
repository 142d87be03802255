/** Whole requests in virtual time: real scheduler, real dialects, real judgement; only the wire is a script. */

import type { Account } from "#core/account.ts"
import type { AccountId, RequestId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { Outcome } from "#core/outcome.ts"
import type { SendUpstream, UpstreamReply } from "#core/upstream.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import { runSettled } from "#gateway/calls/run-settled.ts"
import { makeRunningTurns } from "#gateway/calls/running-turns.ts"
import { serveTurn } from "#gateway/calls/serve-turn.ts"
import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import { makeResponseMemory } from "#gateway/memory/response-memory.ts"
import { makePool } from "#gateway/pool/pool.ts"
import { makeRetryBudget } from "#gateway/turn/retry-budget.ts"
import type { TurnLimits } from "#gateway/turn/turn-parts.ts"
import { upstreamProtocols } from "#protocols/registry.ts"
import { makeProviders } from "#providers/registry.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"
import type { SchedulerLimits } from "#scheduler/types.ts"
import { readTransportError } from "#transport/transport-error.ts"

import { type ManualTime, makeManualTime } from "./manual-timers.ts"

/** One step of a streamed answer: bytes, a pause, a broken connection. */
export type Step = string | { readonly waitMs: number } | { readonly breaks: true }

/** What the upstream does with one attempt. */
export type Script =
  /** Fails before any answer, `afterMs` into the attempt, with the runtime's code. */
  | { readonly throws: string; readonly afterMs?: number; readonly proxied?: boolean }
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly stream: readonly Step[] }

/** One attempt as the upstream saw it. */
export type Seen = {
  readonly account: string
  readonly atMs: number
  readonly body: string
  /** The gateway has closed it, and when, milliseconds since the epoch. */
  closedAtMs?: number
}

const sse = (event: JsonObject) => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`
const RESPONSE = { id: "resp_1", object: "response", model: "gpt-5.5", created_at: 1_800_000_000 }

/** Lifecycle events alone: phase 2. */
export const CREATED = sse({ type: "response.created", response: { ...RESPONSE, status: "in_progress", output: [] } })
const MESSAGE = { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] }
const PART = { type: "output_text", text: "", annotations: [] }
/** First output: phase 3 begins. */
export const OUTPUT = [
  sse({ type: "response.output_item.added", output_index: 0, item: MESSAGE }),
  sse({ type: "response.content_part.added", output_index: 0, content_index: 0, item_id: "msg_1", part: PART }),
  sse({ type: "response.output_text.delta", output_index: 0, content_index: 0, item_id: "msg_1", delta: "hello" }),
].join("")
const DONE = { ...MESSAGE, status: "completed", content: [{ ...PART, text: "hello" }] }
const USAGE = { input_tokens: 10, output_tokens: 2, total_tokens: 12 }
const END = [
  sse({ type: "response.output_item.done", output_index: 0, item: DONE }),
  sse({ type: "response.completed", response: { ...RESPONSE, status: "completed", output: [DONE], usage: USAGE } }),
].join("")

/** A whole good answer. */
export const GOOD: Script = { stream: [CREATED + OUTPUT + END] }
/** A good answer whose first output comes late. */
export const goodAfter = (waitMs: number): Script => ({ stream: [CREATED, { waitMs }, OUTPUT + END] })
/** Completed without any output. */
export const EMPTY: Script = {
  stream: [
    CREATED +
      sse({ type: "response.completed", response: { ...RESPONSE, status: "completed", output: [], usage: USAGE } }),
  ],
}
/** A failure event inside a 200. */
export const failedWith = (error: JsonObject): string =>
  sse({ type: "response.failed", response: { ...RESPONSE, status: "failed", error } })
/** An error answer in the usual JSON form. */
export const refusal = (status: number, error: JsonObject): Script => ({ status, body: { error } })

/** Stands where a request names no account. */
const NO_ACCOUNT = "?" as AccountId

/** How to build a world. */
export type WorldOptions = {
  readonly accounts?: readonly string[]
  /** By account. */
  readonly plans?: Readonly<Record<string, string>>
  readonly egress?: Readonly<Record<string, string>>
  readonly scheduler?: Partial<SchedulerLimits>
  readonly turn?: Partial<TurnLimits>
  /** What a refresh of an account's token waits for, and fails with. */
  readonly refreshing?: (account: string) => Promise<void>
}

/** Builds a gateway of turns whose upstream does what `script` says. */
export function makeTurnWorld(options: WorldOptions = {}) {
  const time = makeManualTime(1_800_000_000_000)
  const names = options.accounts ?? ["a", "b", "c"]
  const seen: Seen[] = []
  const outcomes: Outcome[] = []
  const refreshed: string[] = []
  const scripts = new Map<string, Script[]>()
  let standard: (account: string) => Script = () => GOOD
  const { scheduler, serving } = buildParts(options, { time, outcomes, refreshed, send })
  for (const name of names) {
    serving.pool.put(accountOf(name, options))
  }

  /** The wire: what one attempt meets there. Rejects with what the runtime would throw. */
  async function meet(account: string, body: string, signal: AbortSignal): Promise<UpstreamReply> {
    const attempt: Seen = { account, atMs: time.clock(), body }
    seen.push(attempt)
    signal.addEventListener("abort", () => (attempt.closedAtMs ??= time.clock()), { once: true })
    return play(scripts.get(account)?.shift() ?? scripts.get("*")?.shift() ?? standard(account), time, signal)
  }

  async function send(request: Parameters<SendUpstream>[0], signal: AbortSignal): Promise<UpstreamReply> {
    const { account = NO_ACCOUNT, body = "", method, url, headers, carry } = request
    try {
      if (carry === undefined) return await meet(account, body, signal)
      // The way names the account: whoever carries the request asks `meet` by it.
      return await carry({ method, url, headers, body, way: account, proxy: false, keepsAlive: true }, signal)
    } catch (cause) {
      const proxied = cause instanceof ProxiedError
      throw readTransportError(cause, { phase: "headers", proxied, client: signal })
    }
  }

  let requests = 0
  const running = makeRunningTurns()
  /** Sends a request; `client` leaves when it is aborted. */
  const ask = (body: JsonObject = {}, client = new AbortController()) => {
    requests += 1
    const call = {
      id: `req_${requests}` as RequestId,
      protocol: "openai-responses" as const,
      json: { model: "gpt-5.5", input: `question ${requests}`, stream: false, ...body },
      headers: new Headers(),
      principal: { keyId: "key" },
      signal: client.signal,
      startedAtMs: time.clock(),
    }
    const kind = { endpoint: "turn", encode: upstreamProtocols["openai-responses"].encodeRequest } as const
    return runSettled(call, { running, serving: serving.parts }, run => serveTurn(call, kind, run, serving.parts))
  }

  return {
    time,
    scheduler,
    pool: serving.pool,
    seen,
    outcomes,
    refreshed,
    meet,
    serving: serving.parts,
    running,
    affinity: serving.parts.turn.affinity,
    ask,
    /** Queues what the account does next; `*` = whoever comes. */
    next: (account: string, ...queued: readonly Script[]) => {
      scripts.set(account, [...(scripts.get(account) ?? []), ...queued])
    },
    /** What every attempt meets that has nothing queued. */
    always: (script: Script | ((account: string) => Script)) => {
      standard = typeof script === "function" ? script : () => script
    },
    accounts: () => seen.map(({ account }) => account),
    /** Lets time pass until the request is over; the status, or the error's kind. */
    settle: async (pending: ReturnType<typeof ask>, withinMs = 300_000) => {
      const ended = pending.then(
        ({ status }) => ({ status, error: undefined }),
        (error: unknown) => ({ status: 0, error }),
      )
      let isOver = false
      void ended.then(() => {
        isOver = true
      })
      for (let passedMs = 0; passedMs < withinMs; passedMs += 250) {
        await time.advanceAsync(passedMs === 0 ? 0 : 250)
        if (isOver) break
      }
      return ended
    },
  }
}

type Wires = {
  readonly time: ManualTime
  readonly outcomes: Outcome[]
  readonly refreshed: string[]
  readonly send: SendUpstream
}

function buildParts(options: WorldOptions, { time, outcomes, refreshed, send }: Wires) {
  const { clock, timers } = time
  const scheduler = makeSchedulerFor(options, time)
  const providers = makeProviders({ identity: { originator: "test", userAgent: "test/1", clientVersion: "1.0.0" } })
  const pool = makePool({
    clock,
    random: () => 0,
    scheduler,
    providers,
    baseUrl: "http://127.0.0.1:1",
    refresh: async account => {
      await options.refreshing?.(account.id)
      refreshed.push(account.id)
      const accessToken = `${account.id}-${refreshed.length}`
      pool.renew({ ...account, credential: { ...account.credential, type: "chatgpt", accessToken, generation: 1 } })
    },
    skipsExhausted: () => true,
    watch: { heard: () => {}, forget: () => {} },
    modelsChanged: () => {},
  })
  const limits = {
    maxAccounts: 3,
    firstByteTimeoutMs: 120_000,
    queueTimeoutMs: 30_000,
    maxFrameBytes: 1_000_000,
    ...options.turn,
  }
  const parts: ServeTurnParts = {
    heartbeat: makeHeartbeat({ clock, timers }),
    turn: {
      clock,
      timers,
      random: () => 0.5,
      scheduler,
      pool,
      providers,
      upstream: upstreamProtocols["openai-responses"],
      send,
      budget: makeRetryBudget({ clock }),
      affinity: makeAffinity({ clock }),
      memory: makeResponseMemory(clock, () => ({ isOn: false, maxBytes: 0, ttlMs: 0 })),
      limits: () => limits,
      upstreamTransport: () => "http",
    },
    keys: { open: () => ({ admit: () => undefined, scope: undefined, settle: () => {} }) },
    images: { hostModel: () => "gpt-5.5", withoutImages: () => ({ accounts: new Set(), total: 0 }) },
    planModel: request => ({ slug: request.model, warnings: [] }),
    streamLimits: () => ({ idleTimeoutMs: 600_000, clientKeepaliveMs: 15_000 }),
    exposeCodexHeaders: () => false,
    record: outcome => outcomes.push(outcome),
  }
  return { scheduler, serving: { pool, parts } }
}

function makeSchedulerFor(options: WorldOptions, { clock, timers }: ManualTime) {
  const limits = { accountConcurrency: 4, queueMax: 100, queueTimeoutMs: 30_000, ...options.scheduler }
  return makeScheduler({ clock, timers, random: () => 0, limits: () => limits })
}

function accountOf(name: string, { plans, egress }: WorldOptions): Account {
  const plan = plans?.[name]
  const way = egress?.[name]
  return {
    // Tests name accounts as they like; the brand only keeps plain text out of production code.
    id: name as AccountId,
    provider: "codex",
    label: name,
    ...(plan !== undefined && { plan }),
    ...(way !== undefined && { egress: way }),
    disabled: false,
    credential: { type: "chatgpt", accessToken: name, refreshToken: `rt-${name}`, generation: 0 },
    source: { type: "store" },
  }
}

/** Resolves after `waitMs`, or rejects as a closed connection does when the gateway gives the request up. */
function passing(waitMs: number, { timers }: ManualTime, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(Object.assign(new Error("aborted"), { code: "ABORT_ERR" }))
    if (signal.aborted) return gone()
    signal.addEventListener("abort", gone, { once: true })
    timers.after(waitMs, resolve)
  })
}

/** What a request through a proxy fails with. */
class ProxiedError extends Error {}

async function play(script: Script, time: ManualTime, signal: AbortSignal): Promise<UpstreamReply> {
  if ("throws" in script) {
    await passing(script.afterMs ?? 0, time, signal)
    const Thrown = script.proxied === true ? ProxiedError : Error
    throw Object.assign(new Thrown(script.throws), { code: script.throws })
  }
  if ("stream" in script) {
    const headers = new Headers({ "content-type": "text/event-stream" })
    return { status: 200, headers, body: streamOf(script.stream, time, signal) }
  }
  const text = typeof script.body === "string" ? script.body : JSON.stringify(script.body ?? "")
  const headers = new Headers({ "content-type": "application/json", ...script.headers })
  return { status: script.status, headers, body: new Response(text).body ?? undefined }
}

function streamOf(steps: readonly Step[], time: ManualTime, signal: AbortSignal): ReadableStream<Uint8Array> {
  const left = [...steps]
  return new ReadableStream(
    {
      pull: async controller => {
        for (let step = left.shift(); step !== undefined; step = left.shift()) {
          if (typeof step === "string") {
            controller.enqueue(new TextEncoder().encode(step))
            return
          }
          if ("breaks" in step) throw Object.assign(new Error("reset"), { code: "ECONNRESET" })
          await passing(step.waitMs, time, signal)
        }
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
