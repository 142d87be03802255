/**
 * What a stored client key costs a request, from the door to the bill, against what every request costs anyway: reading its
 * body, and knowing a key of the configuration. Run with `bun test/bench/keys.bench.ts`.
 */

import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { ModelRequest } from "#core/request.ts"
import { makeClientKey } from "#gateway/keys/client-key.ts"
import { makeKeyGate } from "#gateway/keys/key-gate.ts"
import { makeKeyLines } from "#gateway/keys/key-line.ts"
import type { KeyPolicy } from "#gateway/keys/key-policy.ts"
import { makeKeyRing } from "#gateway/keys/key-ring.ts"
import { makeStoredKeys } from "#gateway/keys/stored-keys.ts"
import { makeAdmission } from "#http/admission.ts"
import type { ClientKeyRow } from "#store/client-keys.ts"

import { sized } from "./smoke.ts"

const KEYS = 1_000
const ROUNDS = sized(200, 2)
const BATCH = 200

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
const rows = new Map<string, ClientKeyRow>()
const sealed: { name: string; secretJson: string; updatedAtMs: number }[] = []

/** A store in memory: writes are no part of a request. */
const ring = makeKeyRing({
  clock: systemClock,
  random,
  sealer: makeSealer({ key: makeMasterKey(random), random }),
  reportFailure: (name, cause) => console.error(name, cause),
  rows: {
    listSealedValues: () => sealed,
    writeSealedValues: values => sealed.push(...values),
    listClientKeys: () => [...rows.values()],
    writeClientKey: row => rows.set(row.keyId, row),
    deleteClientKey: () => undefined,
    listKeyUses: () => [],
    listKeyCounters: () => [],
    saveKeyUsage: () => undefined,
    deleteKeyCounters: () => undefined,
    deleteOldKeyCounters: () => undefined,
  },
})

function add(index: number, policy: KeyPolicy): { readonly id: string; readonly text: string } {
  const text = `sk-bench-key-number-${index}`
  const id = `key_${index}`
  const nothing = { owner: undefined, note: undefined, expiresAtMs: undefined, expiresAfterUseMs: undefined }
  const facts = { id, hash: ring.hashOf(text), prefix: text.slice(0, 8), name: id, enabled: true, policy }
  ring.put(makeClientKey({ ...facts, ...nothing, createdAtMs: 0, updatedAtMs: 0 }))
  return { id, text }
}

const PLENTY = 1e12
const CAPS = { requests: PLENTY, input_tokens: PLENTY, output_tokens: PLENTY, tokens: PLENTY, cost_usd: 1e9 }
const COUNTED: KeyPolicy = { limits: { rpm: 1e9, rpd: PLENTY, concurrency: 1_000 } }
const WEIGHED: KeyPolicy = {
  models: { allow: ["gpt-*"] },
  limits: { ...COUNTED.limits, tpm: PLENTY, "5h": CAPS, "7d": CAPS, "30d": CAPS, day: CAPS, total: CAPS },
}

for (let index = 10; index < KEYS; index++) add(index, {})
const free = add(0, {})
const counted = add(1, COUNTED)
const weighed = add(2, WEIGHED)

const stored = makeStoredKeys({ clock: systemClock, ring, isRequired: () => true, trustedProxies: () => [] })
const gate = makeKeyGate({
  clock: systemClock,
  ring,
  lines: makeKeyLines({ clock: systemClock, timers: systemTimers, timeoutMs: () => 30_000 }),
  priceOf: () => ({ input: 1, cachedInput: 0.1, output: 10 }),
  changed: () => undefined,
})
const configured = "sk-configured-key"
const byConfiguration = makeAdmission([configured], stored)
const byStore = makeAdmission([], stored)

const requestWith = (text: string) =>
  new Request("http://127.0.0.1/v1/responses", { headers: { authorization: `Bearer ${text}` } })
const url = new URL("http://127.0.0.1/v1/responses")
const peerOf = () => "127.0.0.1"

/** A conversation of so many kilobytes in messages of one. */
function bodyOf(kilobytes: number): string {
  const text = "The quick brown fox jumps over the lazy dog. ".repeat(23).slice(0, 1000)
  const input = Array.from({ length: kilobytes }, () => ({ role: "user", content: text }))
  return JSON.stringify({ model: "gpt-5.5", max_output_tokens: 500, input })
}

function nsPerRun(run: () => void): number {
  const samplesNs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = Bun.nanoseconds()
    for (let index = 0; index < BATCH; index++) run()
    samplesNs.push((Bun.nanoseconds() - startNs) / BATCH)
  }
  samplesNs.sort((left, right) => left - right)
  return samplesNs[Math.floor(ROUNDS / 2)] ?? Number.NaN
}

const usage = { inputTokens: 300, inputCachedTokens: 100, outputTokens: 200, reasoningTokens: 0 }
const signal = new AbortController().signal

function bill(id: string, body: string): () => void {
  const json = JSON.parse(body)
  // As the Responses dialect decodes it; the gate reads nothing else of a request.
  const request = {
    model: "gpt-5.5",
    body: { type: "native", family: "openai-responses", json },
  } as unknown as ModelRequest
  const turn = { call: { json, bodyBytes: body.length }, request, plan: { slug: "gpt-5.5" } }
  const ended = { usage, attempts: 1, status: 200, firstByteMs: 5, upstreamModel: "gpt-5.5" }
  return () => {
    const charge = gate.open({ keyId: id })
    if (charge.admit(turn, signal) !== undefined) throw new Error("the bench has to wait")
    charge.settle(ended)
  }
}

function admitting(admission: typeof byStore, text: string): () => void {
  const request = requestWith(text)
  return () => admission.admit(request, url, peerOf)
}

const small = bodyOf(2)
const large = bodyOf(100)
const cases: readonly (readonly [string, () => void])[] = [
  ["read a body of 2 KB (JSON.parse)", () => JSON.parse(small)],
  ["read a body of 100 KB (JSON.parse)", () => JSON.parse(large)],
  ["know a key of the configuration", admitting(byConfiguration, configured)],
  [`know one of ${KEYS} stored keys`, admitting(byStore, weighed.text)],
  ["bill without limits", bill(free.id, small)],
  ["bill with limits on requests", bill(counted.id, small)],
  ["bill with every limit, 2 KB", bill(weighed.id, small)],
  ["bill with every limit, 100 KB", bill(weighed.id, large)],
]

for (const [, run] of cases) nsPerRun(run)
const baseNs = nsPerRun(cases[0]?.[1] ?? (() => undefined))
console.log("a step                                   ns      against reading 2 KB")
for (const [name, run] of cases) {
  const ns = nsPerRun(run)
  console.log(`${name.padEnd(38)} ${ns.toFixed(0).padStart(7)} ${(ns / baseNs).toFixed(2).padStart(9)} x`)
}
