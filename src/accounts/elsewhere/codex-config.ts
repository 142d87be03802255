/** The Codex CLI's `config.toml`: at which base URL the CLI uses its login. */

import { readFileSync } from "node:fs"
import { join } from "node:path"

import { compact } from "#accounts/formats/compact.ts"
import type { ProviderId } from "#core/ids.ts"
import { isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

/** Base URLs for the login, by the provider its kind belongs to, and why there is none where the file suggests one. */
export type CodexBaseUrls = {
  readonly baseUrls: Readonly<Partial<Record<ProviderId, string>>>
  readonly remarks: readonly string[]
}

/** The file, or why it does not count. */
export type CodexConfigFind =
  | { readonly type: "read"; readonly config: JsonObject }
  | { readonly type: "none" }
  | { readonly type: "broken"; readonly reason: string }

/** Where this gateway listens: the CLI may have been pointed at it. */
export type OwnAddress = { readonly host: string; readonly port: number }

/** Ids that need no table of their own: https://github.com/openai/codex, codex-rs/core/src/model_provider_info.rs. */
const WITHOUT_LOGIN: ReadonlySet<string> = new Set(["amazon-bedrock", "ollama", "lmstudio"])

/** Reads the file. The parser's own words may quote a value, and so stay out of the reason. */
export function readCodexConfig(codexHome: string): CodexConfigFind {
  const path = join(codexHome, "config.toml")
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected error"
    return code === "ENOENT" ? { type: "none" } : { type: "broken", reason: `it cannot be read (${code})` }
  }
  try {
    const value: unknown = Bun.TOML.parse(text)
    return isJsonObject(value) ? { type: "read", config: value } : { type: "broken", reason: "it is not TOML" }
  } catch {
    return { type: "broken", reason: "it is not TOML" }
  }
}

/** The keys in force: those of the selected profile over those of the file. */
function withProfile(config: JsonObject): JsonObject {
  const name = stringAt(config, "profile")
  const profile = name === undefined ? undefined : objectAt(objectAt(config, "profiles") ?? {}, name)
  return { ...config, ...profile }
}

function isOwn(url: URL, own: OwnAddress): boolean {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  const host = url.hostname.replaceAll(/[[\]]/g, "")
  const isHere = /^(localhost|::1|0\.0\.0\.0|127\.\d+\.\d+\.\d+)$/.test(host) || host === own.host
  return isHere && port === own.port
}

/** Why the address cannot be used; undefined when it can. */
function faultOf(baseUrl: string, own: OwnAddress): string | undefined {
  const url = URL.parse(baseUrl)
  if (url === null || !/^https?:$/.test(url.protocol)) return "names a base URL that is no http or https address"
  return isOwn(url, own) ? "names this gateway itself" : undefined
}

/** The built-in provider: both kinds of login are used, each with an override of its own. */
function builtInUrls(config: JsonObject): CodexBaseUrls["baseUrls"] {
  const api = stringAt(config, "openai_base_url")
  const chatgpt = stringAt(config, "chatgpt_base_url")?.replace(/\/+$/, "")
  const codex = api ?? (chatgpt === undefined ? undefined : `${chatgpt.replace(/\/codex$/, "")}/codex`)
  return compact({ "openai-api": api, codex })
}

/**
 * A provider of the user's own gets the login only where the CLI gives it to that provider: a token must not reach a
 * service it was not meant for.
 */
function providerUrls(id: string, table: JsonObject): CodexBaseUrls {
  const baseUrl = stringAt(table, "base_url")
  if (baseUrl === undefined) return { baseUrls: {}, remarks: [`its provider "${id}" has no base_url`] }
  const usesLogin = table["requires_openai_auth"] === true || id === "openai"
  const keyName = stringAt(table, "env_key")
  const hasOwnSecret =
    stringAt(table, "experimental_bearer_token") !== undefined || objectAt(table, "auth") !== undefined
  const usesKey = usesLogin || (!hasOwnSecret && (keyName === undefined || keyName === "OPENAI_API_KEY"))
  const baseUrls = { ...(usesKey && { "openai-api": baseUrl }), ...(usesLogin && { codex: baseUrl }) }
  const remark = `its provider "${id}" is not given a ChatGPT login (no requires_openai_auth)`
  return { baseUrls, remarks: usesLogin ? [] : [remark] }
}

function selectedUrls(config: JsonObject): CodexBaseUrls {
  const id = stringAt(config, "model_provider") ?? "openai"
  const table = objectAt(objectAt(config, "model_providers") ?? {}, id)
  if (table !== undefined) return providerUrls(id, table)
  if (id === "openai") return { baseUrls: builtInUrls(config), remarks: [] }
  const why = WITHOUT_LOGIN.has(id) ? `its provider "${id}" uses no OpenAI login` : `it has no provider "${id}"`
  return { baseUrls: {}, remarks: [why] }
}

/** Picks the base URLs that the file's selected provider gives the login. */
export function pickBaseUrls(config: JsonObject, own: OwnAddress): CodexBaseUrls {
  const selected = selectedUrls(withProfile(config))
  const remarks = new Set(selected.remarks)
  const baseUrls: Partial<Record<ProviderId, string>> = {}
  for (const provider of ["codex", "openai-api"] as const) {
    const baseUrl = selected.baseUrls[provider]
    const fault = baseUrl === undefined ? undefined : faultOf(baseUrl, own)
    if (fault !== undefined) remarks.add(`its provider ${fault}`)
    else if (baseUrl !== undefined) baseUrls[provider] = baseUrl
  }
  return { baseUrls, remarks: [...remarks] }
}
