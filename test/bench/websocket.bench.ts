/** The upstream's WebSocket against HTTP in one run: time to the first byte and CPU of the gateway, as ratios. */

import type { JsonObject } from "#core/json.ts"

import { startSimulatedGateway } from "../support/simulated-gateway.ts"
import { readEvents } from "../support/sse.ts"
import { sized } from "./smoke.ts"

const TURNS = sized(60, 3)
/** Size of what the first turn of a conversation already carries. */
const HISTORIES_BYTES = [2_000, 200_000, 900_000]
const STREAMS = 20
const ROUNDS = sized(5, 1)
const WORDS = sized(2_000, 50)

type Gateway = Awaited<ReturnType<typeof startSimulatedGateway>>

function user(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] }
}

async function post(gateway: Gateway, body: JsonObject): Promise<Response> {
  const response = await fetch(`${gateway.url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${gateway.key}` },
    body: JSON.stringify({ model: "gpt-5.5-low", stream: true, ...body }),
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response
}

/** Sends one turn; returns the milliseconds to its first byte, and what it answered. */
async function turn(
  gateway: Gateway,
  body: JsonObject,
): Promise<{ readonly firstByteMs: number; readonly text: string }> {
  const startedNs = Bun.nanoseconds()
  const response = await post(gateway, body)
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
  const decoder = new TextDecoder()
  let text = ""
  let firstByteMs = Number.NaN
  for (;;) {
    const { done, value } = await reader.read()
    if (Number.isNaN(firstByteMs)) firstByteMs = (Bun.nanoseconds() - startedNs) / 1e6
    if (done) return { firstByteMs, text }
    text += decoder.decode(value, { stream: true })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** CPU seconds a process has used, from /proc; NaN where there is none. */
async function cpuSec(pid: number): Promise<number> {
  const text = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => "")
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}

type Figures = { readonly firstByteMs: number; readonly cpuMs: number }

/** A conversation through one gateway that grows by a question and an answer a turn. */
function startConversation(gateway: Gateway, historyBytes: number, name: string) {
  const input: JsonObject[] = [user("x".repeat(historyBytes))]
  const firstBytes: number[] = []
  let cpuBefore = 0
  return {
    say: async (index: number): Promise<void> => {
      input.push(user(`[[simulate: text text="answer ${index}"]] go on`))
      const { firstByteMs, text } = await turn(gateway, { input: [...input], prompt_cache_key: name })
      const done = readEvents(text).filter(({ event }) => event === "response.output_item.done")
      for (const { data } of done) input.push(JSON.parse(data).item)
      // The first turn opens what the others use.
      if (index === 0) cpuBefore = await cpuSec(gateway.process.pid)
      else firstBytes.push(firstByteMs)
    },
    figures: async (): Promise<Figures> => ({
      firstByteMs: median(firstBytes),
      cpuMs: (((await cpuSec(gateway.process.pid)) - cpuBefore) * 1000) / TURNS,
    }),
  }
}

/** The same conversation through both, turn by turn, so that a busy machine is busy for both. */
async function converse(gateways: readonly Gateway[], historyBytes: number, name: string): Promise<readonly Figures[]> {
  const conversations = gateways.map(gateway => startConversation(gateway, historyBytes, name))
  for (let index = 0; index <= TURNS; index += 1) for (const { say } of conversations) await say(index)
  return Promise.all(conversations.map(({ figures }) => figures()))
}

/** CPU of the gateway an event, microseconds, with many streams at once. */
async function streamCpuMicros(gateway: Gateway): Promise<number> {
  const round = (number: number) =>
    Promise.all(
      Array.from({ length: STREAMS }, (_, index) =>
        turn(gateway, { input: [user(`[[simulate: text words=${WORDS}]] ${number}`)], prompt_cache_key: `s${index}` }),
      ),
    )
  await round(0)
  const before = await cpuSec(gateway.process.pid)
  for (let number = 1; number <= ROUNDS; number += 1) await round(number)
  return (((await cpuSec(gateway.process.pid)) - before) * 1e6) / (ROUNDS * STREAMS * WORDS)
}

function ratio(ws: number, http: number): string {
  return `${(ws / http).toFixed(2)} × HTTP`
}

const settings = { "account-concurrency": 100, "upstream-sockets-per-account": 45 }
const http = await startSimulatedGateway({ accounts: 1, settings })
const ws = await startSimulatedGateway({ accounts: 1, settings: { ...settings, "upstream-transport": "ws" } })
console.log(`${TURNS} turns a conversation, one after the other, medians; client and simulator share a process`)
// Both processes have compiled their hot paths before anything counts.
await converse([http, ws], 2_000, "warm-up")
ws.control.clearRecorded()
for (const bytes of HISTORIES_BYTES) {
  const [overHttp, overWs] = await converse([http, ws], bytes, `h${bytes}`)
  if (overHttp === undefined || overWs === undefined) throw new Error("no figures")
  const chained = ws.control
    .recorded({ path: "/responses" })
    .filter(({ body }) => JSON.stringify(body ?? null).includes("previous_response_id"))
  console.log(
    `history ${String(bytes / 1000).padStart(5)} kB  first byte: HTTP ${overHttp.firstByteMs.toFixed(2)} ms, WebSocket ${overWs.firstByteMs.toFixed(2)} ms (${ratio(overWs.firstByteMs, overHttp.firstByteMs)})` +
      `  gateway CPU a turn: HTTP ${overHttp.cpuMs.toFixed(2)} ms, WebSocket ${overWs.cpuMs.toFixed(2)} ms (${ratio(overWs.cpuMs, overHttp.cpuMs)})  incremental ${chained.length}`,
  )
  ws.control.clearRecorded()
  http.control.clearRecorded()
}
const [httpEvent, wsEvent] = [await streamCpuMicros(http), await streamCpuMicros(ws)]
console.log(
  `${STREAMS} streams of ${WORDS} events  gateway CPU an event: HTTP ${httpEvent.toFixed(2)} µs, WebSocket ${wsEvent.toFixed(2)} µs (${ratio(wsEvent, httpEvent)})`,
)
await http.stop()
await ws.stop()
