/** Client keys over a real store, on a clock the test owns. */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { GatewayError } from "#core/errors.ts"
import type { ModelRequest } from "#core/request.ts"
import { type ClientKeyFacts, makeClientKey } from "#gateway/keys/client-key.ts"
import { makeKeyGate } from "#gateway/keys/key-gate.ts"
import type { KeyedTurn } from "#gateway/keys/key-hold.ts"
import { makeKeyLines } from "#gateway/keys/key-line.ts"
import type { KeyPolicy } from "#gateway/keys/key-policy.ts"
import { makeKeyRing } from "#gateway/keys/key-ring.ts"
import { makePriceOf, type PriceList } from "#gateway/keys/prices.ts"
import { makeUsageKeeper } from "#gateway/keys/usage-keeper.ts"
import { makeStore, type Store } from "#store/store.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

/** Dollars a million tokens: a round number of tokens costs a round number of dollars. */
const PRICES: PriceList = { "gpt-5": { input: 10, cachedInput: 1, output: 100 } }

/** Starts a world; `stop` removes its folder. */
export function makeKeyWorld() {
  const folder = mkdtempSync(join(tmpdir(), "keys-world-"))
  const path = join(folder, "core.db")
  const key = makeMasterKey(random)
  const time = makeManualTime()
  const failures: string[] = []
  const reportFailure = (name: string, cause: unknown) => failures.push(`${name}: ${String(cause)}`)
  let store: Store
  let made: ReturnType<typeof make>

  function make() {
    store = makeStore({ path, pid: process.pid })
    const shared = { clock: time.clock, timers: time.timers, rows: store, reportFailure }
    const ring = makeKeyRing({ ...shared, sealer: makeSealer({ key, random }), random })
    const lines = makeKeyLines({ ...shared, timeoutMs: () => 30_000 })
    const keeper = makeUsageKeeper(shared)
    const gate = makeKeyGate({
      clock: time.clock,
      ring,
      lines,
      priceOf: makePriceOf(() => PRICES),
      changed: keeper.changed,
    })
    return { ring, lines, keeper, gate }
  }

  made = make()
  let count = 0

  return {
    time,
    path,
    failures,
    ring: () => made.ring,
    lines: () => made.lines,
    store: () => store,
    /** Stores a key under the text `sk-<name>`. */
    add: (policy: KeyPolicy = {}, facts: Partial<ClientKeyFacts> = {}) => {
      count += 1
      const text = `sk-test-key-${count}`
      const entry = made.ring.put(
        makeClientKey({
          id: `key_${String(count).padStart(16, "0")}`,
          hash: made.ring.hashOf(text),
          prefix: text.slice(0, 8),
          name: `key ${count}`,
          owner: undefined,
          note: undefined,
          enabled: true,
          expiresAtMs: undefined,
          expiresAfterUseMs: undefined,
          policy,
          createdAtMs: time.clock(),
          updatedAtMs: time.clock(),
          ...facts,
        }),
      )
      return { text, id: entry.key.id, entry: () => made.ring.get(entry.key.id) ?? entry }
    },
    /** Opens the bill of one request. */
    open: (keyId: string) => made.gate.open({ keyId }),
    /** Lets a request in and returns its bill, or the refusal. */
    ask: (keyId: string, json: KeyedTurn["call"]["json"] = {}) => {
      const charge = made.gate.open({ keyId })
      try {
        const place = charge.admit(turnOf(json), new AbortController().signal)
        return { charge, place, refusal: undefined }
      } catch (cause) {
        charge.settle({ attempts: 0, status: 429 })
        if (cause instanceof GatewayError) return { charge, place: undefined, refusal: cause }
        throw cause
      }
    },
    /** The process ends, in order or as by `kill -9`, and another one starts on the same folder. */
    restart: (how: "stopped" | "killed", between: () => void = () => {}) => {
      if (how === "stopped") made.keeper.close()
      store.close()
      between()
      made = make()
    },
    stop: () => {
      store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A request of about `inputTokens` for the model `gpt-5`. */
export function turnOf(json: KeyedTurn["call"]["json"] = {}, model = "gpt-5", inputTokens = 0): KeyedTurn {
  const request = {
    model,
    body: { type: "neutral", instructions: "x".repeat(inputTokens * 4), input: [], tools: [] },
  } as unknown as ModelRequest
  return { call: { json }, request, plan: { slug: model } }
}

/** An answer that said what it used. */
export function answered(inputTokens: number, outputTokens: number, upstreamModel = "gpt-5") {
  const usage = { inputTokens, inputCachedTokens: 0, outputTokens, reasoningTokens: 0 }
  return { usage, attempts: 1, status: 200, firstByteMs: 5, upstreamModel }
}
