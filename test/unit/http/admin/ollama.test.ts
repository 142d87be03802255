/** What operators see of Ollama's port. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { freePort } from "../../../support/binary.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

const port = freePort()
const ollama = { enabled: true, host: "127.0.0.1", port, version: "0.18.3", isVisionHidden: true, origins: [] }

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 1, files: 1, config: { ollama } })
})
afterAll(() => gateway.stop())

test("its status says where it is and since when", async () => {
  const { json } = await gateway.ask("GET", "/api/admin/ollama-status")
  expect(json).toEqual({
    enabled: true,
    running: true,
    host: "127.0.0.1",
    port,
    url: `http://127.0.0.1:${port}`,
    version: "0.18.3",
    disable_vision: true,
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    error: null,
  })
})

test("the replaced system's route says the same in that system's words", async () => {
  const { json } = await gateway.ask("GET", "/admin/ollama-status")
  expect(json).toMatchObject({ running: true, endpoint: `http://127.0.0.1:${port}`, started_at: expect.any(String) })
  expect(json).toHaveProperty("upstream_base_url", null)
})

test("both are the operators' alone", async () => {
  for (const path of ["/api/admin/ollama-status", "/admin/ollama-status"]) {
    const refused = await gateway.ask("GET", path, undefined, { origin: "https://example.com" })
    expect(refused.status).toBe(403)
  }
})

test("the operators' surface is not behind the port", async () => {
  for (const path of [
    "/api/admin",
    "/api/admin/accounts",
    "/admin/accounts",
    "/auth/accounts",
    "/stats",
    "/v1/../stats",
  ]) {
    expect([path, (await fetch(`http://127.0.0.1:${port}${path}`)).status]).toEqual([path, 404])
  }
})
