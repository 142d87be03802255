/** `sluice serve --takeover` with the compiled binary: what clients, accounts and the books see of an upgrade. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"

import { type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "../faults/fixture.ts"

setDefaultTimeout(60_000)

const started: FaultGateway[] = []

async function start(options: FaultOptions = {}): Promise<FaultGateway> {
  const gateway = await startFaultGateway(options)
  started.push(gateway)
  return gateway
}

afterEach(async () => {
  for (const gateway of started.splice(0)) await gateway.stop()
})

test("a takeover while a stream runs: the stream ends whole in the old process, the next request is served by the new one", async () => {
  const gateway = await start()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const stream = gateway.open("/v1/responses", turn({ stream: true }))
  await stream.status
  await gateway.control.untilWaiting("middle", 1)
  const old = gateway.process()
  await gateway.startAgain("--takeover")
  expect(gateway.process().pid).not.toBe(old.pid)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  gateway.control.release("middle")
  expect(await stream.ended).toBe("whole")
  expect(stream.text()).toContain("response.completed")
  await until("the old process has ended", () => /"stopped"/.test(old.output()), 10_000)
  expect(await old.stop()).toBe(0)
})
