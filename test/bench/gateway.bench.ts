/** What the gateway adds to a stream: the same answers straight from the simulator and through the binary, in one run. */

import { startSimulatedGateway } from "../support/simulated-gateway.ts"

const STREAMS = 20
const ROUNDS = 5
const WORDS = 2_000

type Road = {
  readonly name: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
}

/** Reads `STREAMS` answers at once and returns events a second, each word being one event. */
async function eventsPerSec(road: Road): Promise<number> {
  const startedNs = Bun.nanoseconds()
  await Promise.all(Array.from({ length: STREAMS }, () => readAll(road)))
  return (STREAMS * WORDS) / ((Bun.nanoseconds() - startedNs) / 1e9)
}

async function readAll({ url, headers, body }: Road): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  })
  if (!response.ok || response.body === null) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  const reader = response.body.getReader()
  while (!(await reader.read()).done) {}
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

const gateway = await startSimulatedGateway({ accounts: 4, settings: { "account-concurrency": 100 } })
const prompt = `[[simulate: text words=${WORDS}]] go`
const account = gateway.control.accountFile("account-1")
const input = [{ type: "message", role: "user", content: [{ type: "input_text", text: prompt }] }]
const responsesBody = JSON.stringify({ model: "gpt-5.5", instructions: "", input, store: false, stream: true })
const key = { authorization: `Bearer ${gateway.key}` }
const roads: readonly Road[] = [
  {
    name: "simulator, direct",
    url: `${gateway.upstream}/backend-api/codex/responses`,
    headers: {
      authorization: `Bearer ${account.access_token}`,
      "chatgpt-account-id": account.account_id,
      originator: "codex_cli_rs",
      "user-agent": "codex_cli_rs/0.155.0",
      version: "0.155.0",
    },
    body: responsesBody,
  },
  { name: "relay lane (Responses)", url: `${gateway.url}/v1/responses`, headers: key, body: responsesBody },
  {
    name: "transcode lane (Chat)",
    url: `${gateway.url}/v1/chat/completions`,
    headers: key,
    body: JSON.stringify({ model: "gpt-5.5", stream: true, messages: [{ role: "user", content: prompt }] }),
  },
]

console.log(
  `${STREAMS} streams at once of ${WORDS} events each, median of ${ROUNDS} rounds; client and simulator share a process`,
)
let baseline = Number.NaN
for (const road of roads) {
  await eventsPerSec(road)
  const cpuBefore = await cpuSec(gateway.process.pid)
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) rates.push(await eventsPerSec(road))
  const cpuMicros = ((await cpuSec(gateway.process.pid)) - cpuBefore) * 1e6
  const rate = median(rates)
  if (Number.isNaN(baseline)) baseline = rate
  const cost =
    road === roads[0] ? "" : `  gateway CPU ${(cpuMicros / (ROUNDS * STREAMS * WORDS)).toFixed(2)} µs an event`
  console.log(
    `${road.name.padEnd(24)} ${Math.round(rate).toLocaleString("en")} events/s  ${(rate / baseline).toFixed(2)} × direct${cost}`,
  )
}
await gateway.stop()
