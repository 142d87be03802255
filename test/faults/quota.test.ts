/** What accounts have left: heard from whatever says it, and acted on. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { chat, type FaultGateway, startOwnGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

/** Used percent of each window of the only account, as `/stats` shows it. */
async function usedOf(gateway: FaultGateway): Promise<readonly number[]> {
  const stats = (await gateway.get("/stats")).json() as unknown as {
    readonly accounts: readonly { readonly quota?: { readonly windows: readonly { readonly usedPercent: number }[] } }[]
  }
  return stats.accounts[0]?.quota?.windows.map(window => window.usedPercent) ?? []
}

test.concurrent("quota is heard from events inside a stream, in every lane", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ scenario: "quota-event-alone" })
  const calls = [
    ["/v1/responses", turn({ stream: true })],
    ["/v1/responses", turn({ stream: false })],
    ["/v1/chat/completions", chat({ stream: true })],
    ["/v1/chat/completions", chat({ stream: false })],
  ] as const
  for (const [index, [path, body]] of calls.entries()) {
    gateway.control.setQuota(gateway.control.accounts()[0]?.name ?? "", {
      primary: { usedPercent: 10 * (index + 1) },
      usePercentPerRequest: 0,
    })
    expect((await gateway.post(path, body)).status).toBe(200)
    expect((await usedOf(gateway))[0]).toBe(10 * (index + 1))
  }
})
