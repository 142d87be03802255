/** Shows a configuration in force, with the origin of each value and without its secrets. */

import { CONFIG_KEYS } from "./keys.ts"
import type { LoadedConfig } from "./load.ts"
import { type ConfigSource, formatSource } from "./problem.ts"

/** One line of `config print`. */
export type ExplainedSetting = {
  readonly path: string
  /** As given, secrets masked. */
  readonly value: unknown
  readonly source: ConfigSource
  /** The source in words: `default`, `sluice.yaml:3`, `environment PORT`, `flag --listen`. */
  readonly from: string
}

/** Returns every setting in the order of the schema. */
export function explainConfig(loaded: LoadedConfig): readonly ExplainedSetting[] {
  return CONFIG_KEYS.flatMap(key => {
    const setting = loaded.settings.get(key.path)
    if (setting === undefined) return []
    const value = key.note.secret === true ? maskSecret(setting.value) : setting.value
    return [{ path: key.path, value, source: setting.source, from: formatSource(setting.source) }]
  })
}

/** Shows of a key no more than its usual beginning, of a proxy address everything but user and password. */
function maskSecret(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecret)
  if (isEntry(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskField(inner)]))
  if (typeof value !== "string" || value === "") return value
  const address = /^([a-z0-9]+:\/\/)(?:.*(@))?(.*)$/is.exec(value)
  if (address !== null) return `${address[1]}${address[2] === undefined ? "" : "***@"}${address[3]}`
  return value.startsWith("sk-") ? "sk-***" : "***"
}

function isEntry(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
}

/** Names and paths are no secrets; an address may hold a password. */
function maskField(value: unknown): unknown {
  return typeof value === "string" && value.includes("://") ? maskSecret(value) : value
}
