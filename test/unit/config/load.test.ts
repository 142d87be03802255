/** The four layers, their order, and what the values become. */

import { expect, test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { readDefaults } from "#config/defaults.ts"
import { explainConfig } from "#config/explain.ts"
import { readFileLayer } from "#config/file-layer.ts"
import { CONFIG_KEYS } from "#config/keys.ts"
import type { Setting } from "#config/problem.ts"

import { ROOT } from "../../support/source-tree.ts"
import { loadedFrom, makeFolder, makeLoader, problemsOf } from "./inputs.ts"

test("config/default.yaml states the default that is in force for every key", () => {
  const { settings, problems } = readFileLayer(readFileSync(join(ROOT, "config/default.yaml"), "utf8"), "default.yaml")
  const valuesOf = (layer: readonly Setting[]) => Object.fromEntries(layer.map(({ path, value }) => [path, value]))
  expect(problems).toEqual([])
  expect(valuesOf(settings)).toEqual(valuesOf(readDefaults()))
})

test("without any layer the defaults hold", async () => {
  using folder = makeFolder()
  const result = await makeLoader(folder).load()
  if (result.type !== "loaded") throw new Error("refused")
  expect(result.loaded.warnings).toEqual([])
  expect(result.loaded.file).toBeUndefined()
  expect(result.loaded.config).toEqual({
    listen: { host: "127.0.0.1", port: 8080 },
    authDir: join(folder.path, "auths"),
    dataDir: join(folder.path, "home/.local/share/sluice"),
    credsStore: {
      mode: "off",
      path: join(folder.path, "home/.config/codex-proxy/auth.json"),
      refreshesTakenOver: true,
    },
    codexCli: { home: join(folder.path, "home/.codex"), isImported: false },
    credentialPool: [],
    masterKey: { source: "auto", file: join(folder.path, "home/.local/share/sluice/master.key") },
    modelsPath: undefined,
    baseUrl: "https://chatgpt.com/backend-api/codex",
    usageUrl: "https://chatgpt.com/backend-api/wham/usage",
    proxyUrl: undefined,
    upstreamTransport: "http",
    upstreamSocketsPerAccount: 16,
    logLevel: "info",
    logFormat: "auto",
    refreshIntervalMs: 3_000_000,
    refreshConcurrency: 50,
    maxRetry: 2,
    healthCheckIntervalMs: 300_000,
    healthCheckMaxFailures: 3,
    healthCheckConcurrency: 5,
    apiKeys: [],
    clientKeys: { required: false, trustedProxies: [] },
    prices: {},
    adminKey: "",
    ollama: {
      enabled: false,
      host: "127.0.0.1",
      port: 11_434,
      version: "0.18.3",
      isVisionHidden: false,
      origins: [],
    },
    oauth: { issuer: "https://auth.openai.com", clientId: "app_EMoamEEZ73f0CkXaXp7hrann" },
    keepaliveIntervalMs: 60_000,
    upstreamIdentity: {
      originator: "codex_cli_rs",
      userAgent: "codex_cli_rs/0.155.0 (linux 6.1.0; x64) sluice/1.2.3",
      clientVersion: "0.155.0",
    },
    workers: 1,
    effortPrecedence: "suffix",
    maxBodyBytes: 64 * 1024 * 1024,
    maxStreamBufferBytes: 32 * 1024 * 1024,
    shutdownTimeoutMs: 30_000,
    accountConcurrency: 4,
    queue: { max: 1000, timeoutMs: 30_000, maxPerKey: 1000 },
    quota: {
      skipExhausted: true,
      softCeilingPercent: undefined,
      warningThresholds: { short: [80, 90], long: [80, 90] },
    },
    log: { requests: true, explain: "trouble", keepDays: { requests: 30, details: 7, events: 90 } },
    scheduler: {
      strategy: "least-loaded",
      healthTiers: true,
      learnConcurrency: true,
      priorities: {},
      weights: {},
      tags: {},
    },
    proxyChecks: { intervalMs: 300_000, echoUrl: "", upstreamUrl: "https://chatgpt.com/favicon.ico" },
    firstByteTimeoutMs: 120_000,
    idleTimeoutMs: 300_000,
    clientKeepaliveMs: 15_000,
    bodyTimeoutMs: 30_000,
    compact: "auto",
    model: { aliases: {}, legacyNames: "map" },
    exposeCodexHeaders: false,
    responseMemory: { isOn: true, maxBytes: 67_108_864, ttlMs: 3_600_000 },
    images: { hostModel: "" },
  })
})

test("flags win over the environment, that over the file, that over the defaults", async () => {
  const yaml = "max-retry: 11\nworkers: 12\nqueue:\n  max: 13\n"
  const env = { SLUICE_MAX_RETRY: "21", SLUICE_WORKERS: "22" }
  const loaded = await loadedFrom({ yaml, env, args: ["--max-retry", "31"] })
  const { maxRetry, workers, queue, accountConcurrency } = loaded.config
  expect({ maxRetry, workers, queue: queue.max, accountConcurrency }).toEqual({
    maxRetry: 31,
    workers: 22,
    queue: 13,
    accountConcurrency: 4,
  })
  const from = Object.fromEntries(explainConfig(loaded).map(row => [row.path, row.from]))
  expect(from["max-retry"]).toBe("flag --max-retry")
  expect(from["workers"]).toBe("environment SLUICE_WORKERS")
  expect(from["queue.max"]).toBe("sluice.yaml:4")
  expect(from["account-concurrency"]).toBe("default")
})

test("the admin key can have the names other gateways give it, which count over the file and below our own", async () => {
  const yaml = "admin-key: of-the-file\n"
  const keyOf = async (env: Record<string, string>) => (await loadedFrom({ yaml, env })).config.adminKey
  expect(await keyOf({})).toBe("of-the-file")
  expect(await keyOf({ ADMIN_API_KEY: "second" })).toBe("second")
  expect(await keyOf({ ADMIN_API_KEY: "second", ADMIN_SECRET: "first" })).toBe("first")
  expect(await keyOf({ ADMIN_SECRET: "first", SLUICE_ADMIN_KEY: "own" })).toBe("own")
})

test("every key can be given by its variable, and by its flag", async () => {
  for (const key of CONFIG_KEYS) {
    const text = SAMPLES_BY_PATH[key.path] ?? SAMPLES[key.note.kind] ?? ""
    const byEnv = await loadedFrom({ env: { [key.envName]: text } })
    expect([key.path, byEnv.settings.get(key.path)?.source.type]).toEqual([key.path, "env"])
    const byFlag = await loadedFrom({ args: [`${key.flagName}=${text}`] })
    expect([key.path, byFlag.settings.get(key.path)?.source.type]).toEqual([key.path, "flag"])
    expect([key.path, Bun.deepEquals(byFlag.config, (await loadedFrom({})).config)]).not.toEqual([key.path, true])
  }
})

test("the variables of a replaced system open Ollama's port as well; our own count before them", async () => {
  const env = {
    OLLAMA_BRIDGE_ENABLED: "true",
    OLLAMA_BRIDGE_HOST: "::1",
    OLLAMA_BRIDGE_PORT: "11500",
    OLLAMA_BRIDGE_VERSION: "0.12.0",
    OLLAMA_BRIDGE_DISABLE_VISION: "1",
  }
  const { config } = await loadedFrom({
    env: { ...env, SLUICE_OLLAMA_PORT: "11600" },
    yaml: "ollama: { port: 1, host: localhost }",
  })
  expect(config.ollama).toEqual({
    enabled: true,
    host: "::1",
    port: 11_600,
    version: "0.12.0",
    isVisionHidden: true,
    origins: [],
  })
  expect(await problemsOf({ env: { OLLAMA_BRIDGE_PORT: "none" } })).toEqual([
    expect.stringMatching(/OLLAMA_BRIDGE_PORT.*ollama\.port.*0 to 65535/),
  ])
  expect((await loadedFrom({ yaml: "ollama: { disable_vision: true }" })).config.ollama.isVisionHidden).toBe(true)
})

test("an Ollama port that other machines can reach is remarked upon, because nobody is asked for a key there", async () => {
  const yaml = "ollama: { enabled: true, host: 0.0.0.0, origins: 'https://A.example,null' }"
  const { config, warnings } = await loadedFrom({ yaml })
  expect(config.ollama).toMatchObject({ enabled: true, origins: ["https://a.example", "null"] })
  expect(warnings).toEqual([expect.stringContaining("0.0.0.0 can be reached from other machines")])
  expect((await loadedFrom({ yaml: "ollama: { host: 0.0.0.0 }" })).warnings).toEqual([])
  expect((await loadedFrom({ yaml: "ollama: { enabled: true }" })).warnings).toEqual([])
})

const SAMPLES: Readonly<Record<string, string>> = {
  number: "7",
  flag: "true",
  list: "sk-a,sk-b",
  bytes: "1MiB",
  map: "a=b",
  entries: '[{"id":"a","token_file":"a.json"}]',
}
const SAMPLES_BY_PATH: Readonly<Record<string, string>> = {
  listen: "127.0.0.1:9000",
  "admin-key": "admin-secret",
  "client-keys.trusted-proxies": "127.0.0.1,10.0.0.0/8",
  prices: "gpt-5.5=1.25/0.125/10",
  "base-url": "http://127.0.0.1:1/x",
  "usage-url": "http://127.0.0.1:1/usage",
  "proxy-url": "socks5h://127.0.0.1:1080",
  "auth-dir": "/srv/auths",
  "images.host-model": "gpt-5.5",
  "response-memory.enabled": "false",
  "data-dir": "/srv/data",
  "master-key-source": "file",
  "master-key-file": "/run/secrets/sluice-key",
  models: "models.json",
  "creds-store": "xdg",
  "creds-path": "/srv/auth.json",
  "log-level": "debug",
  "log-format": "json",
  "effort-precedence": "body",
  compact: "direct",
  "model.legacy-names": "refuse",
  "ollama.host": "::1",
  "ollama.version": "0.19.0",
  "ollama.origins": "https://chat.example.com,null",
  "quota.skip-exhausted": "false",
  "quota.soft-ceiling": "95",
  "quota.warning-thresholds": "primary=70+95,secondary=0",
  "proxies.check-interval": "60",
  "proxies.echo-url": "https://echo.example/ip",
  "log.explain": "always",
  "scheduler.strategy": "weighted",
  "upstream-transport": "ws",
  "scheduler.health-tiers": "false",
  "scheduler.learn-concurrency": "0",
  "scheduler.priorities": "plan/pro=-10,acc_1a=5",
  "scheduler.weights": "plan/pro=6",
  "scheduler.tags": "plan/pro=night+batch",
  "oauth.issuer": "http://127.0.0.1:2",
  "oauth.client-id": "app_x",
  "upstream-identity.originator": "codex_exec",
  "upstream-identity.user-agent": "codex_cli_rs/1",
  "upstream-identity.client-version": "0.156.0",
}

test("PORT replaces the port of whatever address the layers below the flags give", async () => {
  const port = { PORT: "3000" }
  expect((await loadedFrom({ env: port })).config.listen).toEqual({ host: "127.0.0.1", port: 3000 })
  expect((await loadedFrom({ env: port, yaml: 'listen: "[::1]:1"' })).config.listen).toEqual({
    host: "::1",
    port: 3000,
  })
  expect((await loadedFrom({ env: port, args: ["--listen", "127.0.0.1:4000"] })).config.listen.port).toBe(4000)
})

test("HTTPS_PROXY is the proxy when no layer names one, and an empty proxy-url means straight out", async () => {
  const env = { HTTPS_PROXY: "http://proxy:3128", https_proxy: "http://other:1" }
  expect((await loadedFrom({ env })).config.proxyUrl).toBe("http://proxy:3128")
  expect((await loadedFrom({ env: { https_proxy: "http://other:1/" } })).config.proxyUrl).toBe("http://other:1")
  expect((await loadedFrom({ env, yaml: 'proxy-url: ""' })).config.proxyUrl).toBeUndefined()
  expect((await loadedFrom({ env, yaml: "proxy-url:" })).config.proxyUrl).toBe("http://proxy:3128")
  expect((await loadedFrom({ env, yaml: "proxy-url: socks5://u:p@h:1" })).config.proxyUrl).toBe("socks5://u:p@h:1")
})

test("an address in short form means every interface, and one key makes it acceptable", async () => {
  const { config } = await loadedFrom({ yaml: 'listen: ":8080"\napi-keys: [sk-one]' })
  expect(config.listen).toEqual({ host: "0.0.0.0", port: 8080 })
  expect(config.apiKeys).toEqual(["sk-one"])
})

test("loopback addresses need no key", async () => {
  for (const listen of ["127.0.0.1:1", "127.8.9.10:1", "localhost:1", "[::1]:1"]) {
    expect((await loadedFrom({ args: ["--listen", listen] })).config.listen.port).toBe(1)
  }
})

test("sizes may carry a unit", async () => {
  const sizeOf = async (text: string) => (await loadedFrom({ yaml: `max-body-bytes: ${text}` })).config.maxBodyBytes
  expect(await sizeOf("1000")).toBe(1000)
  expect(await sizeOf("64MiB")).toBe(67_108_864)
  expect(await sizeOf("2 kB")).toBe(2000)
  expect(await sizeOf("1g")).toBe(1_073_741_824)
})

test("the usage address follows the base address", async () => {
  const usageOf = async (base: string) => (await loadedFrom({ yaml: `base-url: ${base}` })).config.usageUrl
  expect(await usageOf("http://127.0.0.1:9/backend-api/codex/")).toBe("http://127.0.0.1:9/backend-api/wham/usage")
  expect(await usageOf("https://relay.example/codex")).toBe("https://relay.example/codex/api/codex/usage")
  expect(await usageOf("chatgpt.com/backend-api/codex")).toBe("https://chatgpt.com/backend-api/wham/usage")
})

test("the file is looked for in the working directory first, then in the configuration home", async () => {
  using folder = makeFolder()
  const home = join(folder.path, "xdg")
  mkdirSync(join(home, "sluice"), { recursive: true })
  writeFileSync(join(home, "sluice", "config.yaml"), "max-retry: 5")
  const layers = { env: { XDG_CONFIG_HOME: home } }
  const first = await makeLoader(folder, layers).load()
  expect(first).toMatchObject({ loaded: { file: join(home, "sluice", "config.yaml"), config: { maxRetry: 5 } } })
  writeFileSync(join(folder.path, "sluice.yaml"), "max-retry: 6")
  expect(await makeLoader(folder, layers).load()).toMatchObject({ loaded: { config: { maxRetry: 6 } } })
  writeFileSync(join(folder.path, "named.yaml"), "max-retry: 7")
  const named = makeLoader(folder, { ...layers, args: ["-config", "named.yaml"] })
  expect(await named.load()).toMatchObject({ loaded: { config: { maxRetry: 7 } } })
})

test("an unknown SLUICE_ variable is a warning, because other programs may own it; internal ones are silent", async () => {
  const { warnings } = await loadedFrom({ env: { SLUICE_MAX_RETRIES: "3", SLUICE_INTERNAL_STARTED: "1" } })
  expect(warnings).toEqual(['environment SLUICE_MAX_RETRIES: unknown key, ignored; did you mean "SLUICE_MAX_RETRY"?'])
})

test("a user agent that contradicts the originator is remarked on", async () => {
  const { warnings } = await loadedFrom({ yaml: "upstream-identity: { user-agent: curl/8 }" })
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('does not begin with "codex_cli_rs/"')
})

test("a configuration cannot be changed", async () => {
  const { config } = await loadedFrom({ yaml: "api-keys: [sk-one]" })
  expect(Object.isFrozen(config) && Object.isFrozen(config.queue) && Object.isFrozen(config.apiKeys)).toBe(true)
})

test("an explanation shows no secret", async () => {
  const yaml = "api-keys: [sk-secret-one, plainsecret]\nproxy-url: socks5h://user:pa@ss@proxy:1080\n"
  const rows = explainConfig(await loadedFrom({ yaml }))
  expect(rows.find(row => row.path === "api-keys")?.value).toEqual(["sk-***", "***"])
  expect(rows.find(row => row.path === "proxy-url")?.value).toBe("socks5h://***@proxy:1080")
})

test("the shipped example loads", async () => {
  const example = await Bun.file(join(import.meta.dir, "../../../config/sluice.example.yaml")).text()
  const { config, warnings } = await loadedFrom({ yaml: example })
  expect(warnings).toEqual([])
  expect(config.apiKeys).toHaveLength(1)
})

test("the master key is no setting: no warning names it and no layer holds it", async () => {
  using folder = makeFolder()
  const result = await makeLoader(folder, { env: { SLUICE_MASTER_KEY: "not-to-be-seen" } }).load()
  expect(result).toMatchObject({ type: "loaded", loaded: { warnings: [] } })
  expect(JSON.stringify(result)).not.toContain("not-to-be-seen")
})
