/** james-6-23/codex2api's proxy routes beside ours. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { startForwardProxy } from "../../../support/forward-proxy.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway
let proxy: Awaited<ReturnType<typeof startForwardProxy>>

beforeAll(async () => {
  proxy = await startForwardProxy()
  gateway = await startInProcessGateway({ accounts: 2, files: 2 })
})
afterAll(async () => {
  await gateway.stop()
  await proxy.stop()
})

const ask = (method: string, path: string, body?: unknown) => gateway.ask(method, `/api/admin/proxies${path}`, body)

test("its routes add several, test them, balance accounts over them, and clean up", async () => {
  const urls = [`http://one:x@${proxy.host}`, `http://two:x@${proxy.host}`, "http://127.0.0.1:1"]
  expect((await ask("POST", "", { urls, label: "pool" })).json).toMatchObject({ inserted: 3, total: 3 })
  const { proxies } = (await ask("GET", "?shape=codex2api")).json
  expect(proxies.map((one: { label: string; test_status: string }) => [one.label, one.test_status])).toEqual([
    ["pool-1", "untested"],
    ["pool-2", "untested"],
    ["pool-3", "untested"],
  ])
  const ids: string[] = proxies.map((one: { id: string }) => one.id)
  expect((await ask("POST", "/test", { id: ids[0] })).json).toMatchObject({
    success: true,
    latency_ms: expect.any(Number),
  })
  for (let round = 0; round < 3; round++) {
    expect((await ask("POST", "/test-all", { ids })).json).toMatchObject({ total: 3, success: 2, failed: 1 })
  }
  expect((await ask("POST", "/auto-balance")).json.assigned).toBe(2)
  const { assignments } = (await ask("GET", "/assignments")).json
  expect(assignments.map((one: { proxy_name: string }) => one.proxy_name).toSorted()).toEqual(["pool-1", "pool-2"])
  expect((await ask("POST", "/clean-error")).json.cleaned).toBe(1)
  expect((await ask("PATCH", `/${ids[0]}`, { label: "renamed", enabled: false })).json).toMatchObject({
    name: "renamed",
    enabled: false,
  })
  expect((await ask("POST", "/batch-delete", { ids: ids.slice(0, 2) })).json.deleted).toBe(2)
  expect((await ask("POST", "/auto-balance")).json.error.code).toBe("no_proxy")
})
