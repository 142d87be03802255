/** The configuration as the rest of the program reads it: camelCase, milliseconds, bytes, absolute paths, frozen. */

import { join } from "node:path"

import { type AccountSourcesConfig, makeAccountSources, type SourcePlace } from "./account-sources.ts"
import { parseBytes } from "./bytes.ts"
import { makeOllamaConfig, type OllamaConfig } from "./ollama-config.ts"
import { toPath } from "./paths.ts"
import type { ConfigValues } from "./schema.ts"
import { fillUserAgent, type HostFacts } from "./user-agent.ts"

/** One complete, frozen configuration. Where a time is 0 the feature is off, unless the field says otherwise. */
export type Config = AccountSourcesConfig & {
  /** `host` is `0.0.0.0` when every interface is meant; IPv6 stands without brackets. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Absolute path. */
  readonly authDir: string
  /** Absolute path. */
  readonly dataDir: string
  /** Where the master key is; `file` is an absolute path. */
  readonly masterKey: { readonly source: ConfigValues["master-key-source"]; readonly file: string }
  /** Absolute path of the models laid over the known ones; undefined = none. */
  readonly modelsPath: string | undefined
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly usageUrl: string
  /** Undefined = straight out. May hold a password: never log it. */
  readonly proxyUrl: string | undefined
  readonly upstreamTransport: ConfigValues["upstream-transport"]
  /** WebSockets one account may have open. */
  readonly upstreamSocketsPerAccount: number
  readonly logLevel: ConfigValues["log-level"]
  readonly logFormat: ConfigValues["log-format"]
  readonly log: LogConfig
  /** Never 0. */
  readonly refreshIntervalMs: number
  readonly refreshConcurrency: number
  /** Account switches a request; attempts = this + 1. */
  readonly maxRetry: number
  readonly healthCheckIntervalMs: number
  readonly healthCheckMaxFailures: number
  readonly healthCheckConcurrency: number
  /** Client keys. Secrets. */
  readonly apiKeys: readonly string[]
  readonly clientKeys: ClientKeysConfig
  /** Dollars a million tokens, by upstream model or pattern. */
  readonly prices: Readonly<Record<string, PriceConfig>>
  /** Key of the operators' surface; blank = this machine only. A secret. */
  readonly adminKey: string
  readonly ollama: OllamaConfig
  readonly oauth: { readonly issuer: string; readonly clientId: string }
  readonly keepaliveIntervalMs: number
  /** Headers that introduce a request upstream; `userAgent` is filled in. */
  readonly upstreamIdentity: { readonly originator: string; readonly userAgent: string; readonly clientVersion: string }
  readonly workers: number | "auto"
  readonly effortPrecedence: ConfigValues["effort-precedence"]
  readonly model: { readonly aliases: Readonly<Record<string, string>>; readonly legacyNames: "map" | "refuse" }
  readonly maxBodyBytes: number
  readonly maxStreamBufferBytes: number
  readonly shutdownTimeoutMs: number
  readonly accountConcurrency: number
  /** `timeoutMs` 0 = nobody waits. */
  readonly queue: { readonly max: number; readonly timeoutMs: number; readonly maxPerKey: number }
  readonly quota: QuotaConfig
  readonly scheduler: SchedulerConfig
  /** `intervalMs` 0 = no checks by themselves; `echoUrl` empty = none. */
  readonly proxyChecks: { readonly intervalMs: number; readonly echoUrl: string; readonly upstreamUrl: string }
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly clientKeepaliveMs: number
  readonly bodyTimeoutMs: number
  readonly compact: ConfigValues["compact"]
  readonly exposeCodexHeaders: boolean
  readonly responseMemory: { readonly isOn: boolean; readonly maxBytes: number; readonly ttlMs: number }
  /** Empty = chosen from the catalogue. */
  readonly images: { readonly hostModel: string }
}

/** What stored client keys have in common. */
export type ClientKeysConfig = {
  /** A key is asked for even while there is none. */
  readonly required: boolean
  /** Addresses or ranges of reverse proxies, as written. */
  readonly trustedProxies: readonly string[]
}

/** Dollars a million tokens. */
export type PriceConfig = { readonly input: number; readonly cachedInput: number; readonly output: number }

/** What is kept of finished requests. */
export type LogConfig = {
  readonly requests: boolean
  readonly explain: ConfigValues["log"]["explain"]
  readonly keepDays: { readonly requests: number; readonly details: number; readonly events: number }
}

/** What follows from used quota. */
export type QuotaConfig = {
  readonly skipExhausted: boolean
  /** Undefined = none. */
  readonly softCeilingPercent: number | undefined
  /** Percentages, ascending, for windows up to a day and for longer ones. */
  readonly warningThresholds: { readonly short: readonly number[]; readonly long: readonly number[] }
}

/** Who serves the next request. Rules are by account id, `tag/…`, `plan/…` or `provider/…`. */
export type SchedulerConfig = {
  readonly strategy: ConfigValues["scheduler"]["strategy"]
  readonly healthTiers: boolean
  readonly learnConcurrency: boolean
  readonly priorities: Readonly<Record<string, number>>
  readonly weights: Readonly<Record<string, number>>
  readonly tags: Readonly<Record<string, readonly string[]>>
}

/** What values are resolved against. */
export type ConfigPlace = SourcePlace & {
  readonly xdgDataHome: string | undefined
  /** Sluice's own version. */
  readonly version: string
  readonly host: HostFacts
}

/** Turns checked values into the {@link Config}. */
export function makeConfig(values: ConfigValues, place: ConfigPlace): Config {
  const baseUrl = values["base-url"].replace(/\/+$/, "")
  const toAbsolute = (path: string) => toPath(path, place.cwd, place.homeDir)
  const dataDir = values["data-dir"] === "" ? defaultDataDir(place) : toAbsolute(values["data-dir"])
  const authDir = toAbsolute(values["auth-dir"])
  const keyFile = values["master-key-file"]
  return deepFreeze({
    listen: parseListen(values.listen),
    authDir,
    ...makeAccountSources(values, authDir, place),
    dataDir,
    masterKey: {
      source: values["master-key-source"],
      file: keyFile === "" ? join(dataDir, "master.key") : toAbsolute(keyFile),
    },
    modelsPath: values.models === "" ? undefined : toAbsolute(values.models),
    baseUrl,
    usageUrl: values["usage-url"] === "" ? deriveUsageUrl(baseUrl) : values["usage-url"],
    proxyUrl: values["proxy-url"] === "" ? undefined : values["proxy-url"].replace(/\/$/, ""),
    upstreamTransport: values["upstream-transport"],
    upstreamSocketsPerAccount: values["upstream-sockets-per-account"],
    logLevel: values["log-level"],
    logFormat: values["log-format"],
    log: makeLogConfig(values.log),
    refreshIntervalMs: toMs(values["refresh-interval"]),
    refreshConcurrency: values["refresh-concurrency"],
    maxRetry: values["max-retry"],
    healthCheckIntervalMs: toMs(values["health-check-interval"]),
    healthCheckMaxFailures: values["health-check-max-failures"],
    healthCheckConcurrency: values["health-check-concurrency"],
    apiKeys: [...values["api-keys"]],
    clientKeys: {
      required: values["client-keys"].required,
      trustedProxies: [...values["client-keys"]["trusted-proxies"]],
    },
    prices: Object.fromEntries(Object.entries(values.prices).map(([model, text]) => [model, makePrice(text)])),
    adminKey: values["admin-key"],
    ollama: makeOllamaConfig(values.ollama),
    oauth: { issuer: values.oauth.issuer.replace(/\/+$/, ""), clientId: values.oauth["client-id"] },
    keepaliveIntervalMs: toMs(values["keepalive-interval"]),
    upstreamIdentity: makeIdentity(values, place),
    workers: values.workers,
    effortPrecedence: values["effort-precedence"],
    model: { aliases: { ...values.model.aliases }, legacyNames: values.model["legacy-names"] },
    ...makeLimits(values),
    quota: makeQuotaConfig(values.quota),
    scheduler: makeSchedulerConfig(values.scheduler),
    proxyChecks: {
      intervalMs: toMs(values.proxies["check-interval"]),
      echoUrl: values.proxies["echo-url"],
      upstreamUrl: new URL("/favicon.ico", baseUrl).href,
    },
    compact: values.compact,
    exposeCodexHeaders: values["expose-codex-headers"],
    responseMemory: makeMemoryConfig(values["response-memory"]),
    images: { hostModel: values.images["host-model"] },
  })
}

/**
 * Returns the quota address that belongs to an upstream. ChatGPT's own lies beside the Codex endpoints, other hosts
 * have it below them: https://github.com/openai/codex/blob/main/codex-rs/backend-client/src/client.rs
 */
function deriveUsageUrl(baseUrl: string): string {
  const marker = "/backend-api"
  const at = baseUrl.indexOf(marker)
  return at < 0 ? `${baseUrl}/api/codex/usage` : `${baseUrl.slice(0, at + marker.length)}/wham/usage`
}

/** Splits a checked `listen` address; no host means every IPv4 interface. */
function parseListen(listen: string): Config["listen"] {
  const colon = listen.lastIndexOf(":")
  const host = listen.slice(0, colon).replaceAll(/[[\]]/g, "")
  return { host: host === "" ? "0.0.0.0" : host, port: Number(listen.slice(colon + 1)) }
}

function makeIdentity(values: ConfigValues, place: ConfigPlace): Config["upstreamIdentity"] {
  const { originator, "client-version": clientVersion, "user-agent": template } = values["upstream-identity"]
  const userAgent = fillUserAgent(template, { ...place.host, originator, clientVersion, version: place.version })
  return { originator, userAgent, clientVersion }
}

/** Reads `1.25/0.125/10`, which the schema has checked. */
function makePrice(text: string): PriceConfig {
  const [input = 0, cachedInput = 0, output = 0] = text.split("/").map(Number)
  return { input, cachedInput, output }
}

function makeLogConfig(values: ConfigValues["log"]): LogConfig {
  const { requests, explain } = values
  const keepDays = { requests: values["request-days"], details: values["detail-days"], events: values["event-days"] }
  return { requests, explain, keepDays }
}

/** How much, how many and how long. */
function makeLimits(values: ConfigValues) {
  return {
    maxBodyBytes: parseBytes(values["max-body-bytes"]),
    maxStreamBufferBytes: parseBytes(values["max-stream-buffer-bytes"]),
    shutdownTimeoutMs: toMs(values["shutdown-timeout"]),
    accountConcurrency: values["account-concurrency"],
    queue: {
      max: values.queue.max,
      timeoutMs: toMs(values.queue.timeout),
      maxPerKey: values.queue["max-per-key"] || values.queue.max,
    },
    firstByteTimeoutMs: toMs(values["first-byte-timeout"]),
    idleTimeoutMs: toMs(values["idle-timeout"]),
    clientKeepaliveMs: toMs(values["client-keepalive"]),
    bodyTimeoutMs: toMs(values["body-timeout"]),
  }
}

function makeMemoryConfig(values: ConfigValues["response-memory"]): Config["responseMemory"] {
  return { isOn: values.enabled, maxBytes: parseBytes(values["max-bytes"]), ttlMs: toMs(values.ttl) }
}

function makeQuotaConfig(values: ConfigValues["quota"]): QuotaConfig {
  const { primary = "80+90", secondary = "80+90" } = values["warning-thresholds"]
  const percentages = (text: string) => [...new Set(text.split("+").map(Number))].filter(Boolean).sort((a, b) => a - b)
  return {
    skipExhausted: values["skip-exhausted"],
    softCeilingPercent: values["soft-ceiling"] || undefined,
    warningThresholds: { short: percentages(primary), long: percentages(secondary) },
  }
}

function makeSchedulerConfig(values: ConfigValues["scheduler"]): SchedulerConfig {
  const numbers = (map: Readonly<Record<string, number | string>>) =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, Number(value)]))
  return {
    strategy: values.strategy,
    healthTiers: values["health-tiers"],
    learnConcurrency: values["learn-concurrency"],
    priorities: numbers(values.priorities),
    weights: numbers(values.weights),
    tags: Object.fromEntries(
      Object.entries(values.tags).map(([name, text]) => [name, text.split("+").filter(Boolean)]),
    ),
  }
}

function defaultDataDir(place: ConfigPlace): string {
  return join(place.xdgDataHome ?? join(place.homeDir, ".local", "share"), "sluice")
}

function toMs(sec: number): number {
  return Math.round(sec * 1000)
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}
