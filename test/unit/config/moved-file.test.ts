/** Configuration files of XxxXTeam/codex-proxy load unchanged. */

import { expect, test } from "bun:test"

import { loadedFrom, problemsOf } from "./inputs.ts"

/** Keys and values of that project's first sample file. */
const FIRST_SAMPLE = `
listen: ":8080"
auth-dir: "./auths"
base-url: "https://chatgpt.com/backend-api/codex"
# proxy-url: "http://127.0.0.1:7890"
log-level: "info"
refresh-interval: 3000
max-retry: 2
health-check-interval: 7200
health-check-max-failures: 2
health-check-concurrency: 100
refresh-concurrency: 100
api-keys:
  - "sk-your-custom-key-1"
`

/** Keys and values of a newer one, with the keys that have no effect here: https://github.com/XxxXTeam/codex-proxy */
const NEWER_SAMPLE = `
listen: ":8080"
auth-dir: "./auths"
backend-domain: "chatgpt.com"
log-level: "INFO"
log-format: text
refresh-interval: 3000
quota-http-status-policy:
  "401":
    phase: refresh_once
    final: remove
max-retry: 2
enable-healthy-retry: true
health-check-interval: 300
health-check-max-failures: 2
health-check-concurrency: 5
health-check-start-delay: 45
health-check-batch-size: 20
health-check-request-timeout: 8
refresh-concurrency: 50
startup-async-load: true
shutdown-timeout: 5
keepalive-interval: 60
max-conns-per-host: 512
max-idle-conns: 1024
max-idle-conns-per-host: 512
enable-http2: false
proxy-url: ""
api-keys:
  - "sk-your-custom-key-1"
  - "sk-your-custom-key-2"
`

test("the first sample file means the same here", async () => {
  const { config, warnings } = await loadedFrom({ yaml: FIRST_SAMPLE })
  expect(warnings).toEqual([])
  expect(config).toMatchObject({
    listen: { host: "0.0.0.0", port: 8080 },
    baseUrl: "https://chatgpt.com/backend-api/codex",
    proxyUrl: undefined,
    logLevel: "info",
    refreshIntervalMs: 3_000_000,
    maxRetry: 2,
    healthCheckIntervalMs: 7_200_000,
    healthCheckMaxFailures: 2,
    healthCheckConcurrency: 100,
    refreshConcurrency: 100,
    apiKeys: ["sk-your-custom-key-1"],
  })
  expect(config.authDir).toEndWith("/auths")
})

test("a newer file loads too, and one warning names every key without effect", async () => {
  const { config, warnings } = await loadedFrom({ yaml: NEWER_SAMPLE })
  expect(warnings).toEqual([
    "sluice.yaml: backend-domain, quota-http-status-policy, enable-healthy-retry, health-check-start-delay, health-check-batch-size, health-check-request-timeout, startup-async-load, max-conns-per-host, max-idle-conns, max-idle-conns-per-host, enable-http2: known from another gateway, without effect here",
  ])
  expect(config).toMatchObject({ logLevel: "info", logFormat: "pretty", shutdownTimeoutMs: 5000, proxyUrl: undefined })
})

test("0 and empty texts count as not given where they do there", async () => {
  const yaml = `
listen: ""
auth-dir: ""
base-url: ""
refresh-interval: 0
refresh-concurrency: 0
health-check-max-failures: 0
health-check-concurrency: 0
api-keys:
`
  const [given, defaults] = [await loadedFrom({ yaml }), await loadedFrom({})]
  // Each load has a folder of its own.
  const folders = { authDir: "", dataDir: "", masterKey: {}, credsStore: {}, codexCli: {} }
  expect({ ...given.config, ...folders }).toEqual({ ...defaults.config, ...folders })
})

test("0 switches the health check off and allows no second attempt, as there", async () => {
  const { config } = await loadedFrom({ yaml: "health-check-interval: 0\nmax-retry: 0\n" })
  expect([config.healthCheckIntervalMs, config.maxRetry]).toEqual([0, 0])
})

test("a base address without a scheme is https, as there", async () => {
  const { config } = await loadedFrom({ yaml: "base-url: relay.example/backend-api/codex" })
  expect(config.baseUrl).toBe("https://relay.example/backend-api/codex")
})

test("an open address without keys is refused here, which is the one difference", async () => {
  expect(await problemsOf({ yaml: FIRST_SAMPLE.slice(0, FIRST_SAMPLE.indexOf("api-keys")) })).toHaveLength(1)
})
