/** What must hold between settings, beyond each one's own type. */

import { parseRange } from "#core/address-range.ts"

import { remarksOnSources, repeatsIn } from "./account-sources.ts"
import type { Config, ConfigPlace } from "./config.ts"
import type { ConfigProblem, ConfigSource } from "./problem.ts"
import type { ConfigValues } from "./schema.ts"
import { unknownPlaceholders } from "./user-agent.ts"

/** What the rules look at. */
export type RuleInput = {
  readonly values: ConfigValues
  readonly config: Config
  readonly place: ConfigPlace
  readonly sourceOf: (path: string) => ConfigSource
}

/** Returns every broken rule. */
export function checkRules(input: RuleInput): readonly ConfigProblem[] {
  return [...checkExposure(input), ...checkUserAgent(input), ...checkPool(input), ...checkProxies(input)]
}

/** Returns remarks about settings that are allowed and probably not meant. */
export function remarks({ config, values }: RuleInput): readonly string[] {
  const { originator, userAgent } = config.upstreamIdentity
  const known = userAgent.startsWith(`${originator}/`)
  return [
    ...(known ? [] : [unknownClient(originator)]),
    ...(config.ollama.enabled && !isLoopback(config.ollama.host) ? [openBridge(config.ollama.host)] : []),
    ...remarksOnSources(values),
  ]
}

function checkPool({ config, sourceOf }: RuleInput): readonly ConfigProblem[] {
  const key = "credential-pool.codex"
  return repeatsIn(config.credentialPool).map(message => ({ source: sourceOf(key), key, message }))
}

function openBridge(host: string): string {
  return `ollama.host: ${host} can be reached from other machines, and Ollama's clients send no key: whoever reaches it can spend your accounts`
}

function checkProxies({ config, sourceOf }: RuleInput): readonly ConfigProblem[] {
  const key = "client-keys.trusted-proxies"
  return config.clientKeys.trustedProxies
    .filter(text => parseRange(text) === undefined)
    .map(text => ({ source: sourceOf(key), key, message: `${text} is neither an address nor a range of addresses` }))
}

function unknownClient(originator: string): string {
  return `upstream-identity: the user agent does not begin with "${originator}/", so models that are served to known clients only will look missing`
}

/** True for an address that only this machine can reach. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

function checkExposure({ config, values, sourceOf }: RuleInput): readonly ConfigProblem[] {
  const { host, port } = config.listen
  if (config.apiKeys.length > 0 || config.clientKeys.required || isLoopback(host)) return []
  const message = `${values.listen} can be reached from other machines and api-keys is empty, so anyone could spend your accounts. Add a key under api-keys, set client-keys.required, or listen on 127.0.0.1:${port}`
  return [{ source: sourceOf("listen"), key: "listen", message }]
}

function checkUserAgent({ config, values, place, sourceOf }: RuleInput): readonly ConfigProblem[] {
  const { originator, clientVersion } = config.upstreamIdentity
  const facts = { ...place.host, originator, clientVersion, version: place.version }
  const path = "upstream-identity.user-agent"
  return unknownPlaceholders(values["upstream-identity"]["user-agent"], facts).map(placeholder => ({
    source: sourceOf(path),
    key: path,
    message: `unknown placeholder ${placeholder}`,
  }))
}
