/** Simultaneous streams: none waits behind a ceiling of the runtime. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { chat, type FaultGateway, startFaultGateway, until } from "./fixture.ts"
import type { RawExchange } from "./raw-client.ts"

setDefaultTimeout(30_000)

const STREAMS = 1_000
const OPTIONS = {
  accounts: 10,
  settings: { "account-concurrency": 200, "log-level": "info" },
  simulator: { recordLimit: 2_000 },
}

let open: RawExchange[] = []

/** Opens streams in waves: a wave larger than the kernel's accept backlog would wait for its own SYN retries. */
async function openStreams(gateway: FaultGateway, count: number): Promise<void> {
  for (let started = 0; started < count; started += 100) {
    const wave = Array.from({ length: Math.min(100, count - started) }, (_, index) =>
      gateway.open("/v1/chat/completions", chat({ text: `stream ${started + index}`, stream: true })),
    )
    open.push(...wave)
    await Promise.all(wave.map(({ socket }) => new Promise(resolve => socket.once("connect", resolve))))
  }
}

function leaveAll(): void {
  for (const exchange of open) exchange.leave()
  open = []
}

test("fault 45: 1,000 streams reach the upstream before any of them is answered, and all of them end whole", async () => {
  const gateway = await startFaultGateway(OPTIONS)
  try {
    gateway.control.script({ settings: { hold: "all", holdAfterEvents: 2 } })
    await openStreams(gateway, STREAMS)
    await gateway.control.untilWaiting("all", STREAMS)
    expect(gateway.control.release("all")).toBe(STREAMS)
    const ends = await Promise.all(open.map(exchange => exchange.ended))
    expect(ends.filter(end => end === "whole")).toHaveLength(STREAMS)
    expect(open.filter(exchange => exchange.text().endsWith("data: [DONE]\n\n"))).toHaveLength(STREAMS)
    expect(gateway.turns()).toHaveLength(STREAMS)
    await gateway.idle()
  } finally {
    leaveAll()
    await gateway.stop()
  }
})

test("fault 45: with the runtime's own ceiling of 256 in force the same load does wait", async () => {
  const gateway = await startFaultGateway({ ...OPTIONS, env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "256" } })
  try {
    gateway.control.script({ settings: { hold: "all", holdAfterEvents: 2 } })
    await openStreams(gateway, 400)
    await until("the gateway has leased an account to each", async () => {
      const body = (await gateway.get("/stats")).json() as unknown as { readonly pool: { readonly leases: number } }
      return body.pool.leases === 400
    })
    await until("the ceiling is reached", () => gateway.control.waiting("all") >= 250)
    // Bounded wait for a request over the ceiling: whatever could arrive has had its time.
    await Bun.sleep(300)
    expect(gateway.control.waiting("all")).toBeLessThanOrEqual(256)
  } finally {
    leaveAll()
    await gateway.stop()
  }
})
