/** Reads settings from environment variables: `SLUICE_<KEY>`, and the names that are shared with other programs. */

import { checkValue, readText } from "./check-value.ts"
import { nearest } from "./edit-distance.ts"
import { CONFIG_KEYS, ENV_PREFIX, keyAt, keyOfEnv } from "./keys.ts"
import type { ConfigLayer, ConfigProblem, Setting } from "./problem.ts"

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables with this beginning pass between Sluice's own processes and are never settings. */
const INTERNAL_ENV_PREFIX = "SLUICE_INTERNAL_"

/** The master key itself: a secret that is read where it is used, and no setting that could be printed. */
const MASTER_KEY_NAME = "SLUICE_MASTER_KEY"

/** Reads every `SLUICE_*` variable. An empty variable counts as not given; an unknown one is a warning, not a problem. */
export function readEnvLayer(env: Environment): ConfigLayer {
  const settings: Setting[] = []
  const problems: ConfigProblem[] = []
  const warnings: string[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === "" || !isOurs(name)) continue
    const key = keyOfEnv(name)
    if (key === undefined) {
      warnings.push(unknownVariable(name))
      continue
    }
    const checked = checkValue(key, readText(key, text), { type: "env", name })
    if (checked.type === "setting") settings.push(checked.setting)
    if (checked.type === "problem") problems.push(checked.problem)
  }
  return { settings, problems, warnings }
}

/**
 * Reads `PORT`, which hosting platforms set: it replaces the port of `listen`, whatever layer below the flags gave that.
 * `listen` is the address in force so far.
 */
export function readPortLayer(env: Environment, listen: unknown): ConfigLayer {
  const port = env["PORT"]?.trim()
  if (port === undefined || port === "" || typeof listen !== "string") return EMPTY_LAYER
  const source = { type: "env", name: "PORT" } as const
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) {
    const message = `expected a port from 0 to 65535, got the text ${JSON.stringify(port)}`
    return { ...EMPTY_LAYER, problems: [{ source, key: "listen", message }] }
  }
  const value = `${listen.slice(0, listen.lastIndexOf(":"))}:${port}`
  return { ...EMPTY_LAYER, settings: [{ path: "listen", value, source }] }
}

/** Reads `HTTPS_PROXY` or `https_proxy` as `proxy-url`; for the case that no layer named that key. */
export function readProxyLayer(env: Environment): ConfigLayer {
  return readSharedLayer(env, "proxy-url", ["HTTPS_PROXY", "https_proxy"])
}

/** Reads the names that other gateways use for the admin key, as `admin-key`. They count over files. */
export function readAdminKeyLayer(env: Environment): ConfigLayer {
  return readSharedLayer(env, "admin-key", ["ADMIN_SECRET", "ADMIN_API_KEY"])
}

/** Variables that icebear0828/codex-proxy has for its Ollama bridge, and our settings. */
const BRIDGE_VARIABLES = [
  ["OLLAMA_BRIDGE_ENABLED", "ollama.enabled"],
  ["OLLAMA_BRIDGE_HOST", "ollama.host"],
  ["OLLAMA_BRIDGE_PORT", "ollama.port"],
  ["OLLAMA_BRIDGE_VERSION", "ollama.version"],
  ["OLLAMA_BRIDGE_DISABLE_VISION", "ollama.disable-vision"],
] as const

/** Reads the names that a replaced system has for Ollama's port. They count over files. */
export function readBridgeLayer(env: Environment): ConfigLayer {
  const layers = BRIDGE_VARIABLES.map(([name, path]) => readSharedLayer(env, path, [name]))
  return {
    settings: layers.flatMap(layer => layer.settings),
    problems: layers.flatMap(layer => layer.problems),
    warnings: [],
  }
}

/** Reads the first of the variables that is set as the setting at `path`. */
function readSharedLayer(env: Environment, path: string, names: readonly string[]): ConfigLayer {
  const name = names.find(candidate => (env[candidate] ?? "") !== "")
  const key = keyAt(path)
  if (name === undefined || key === undefined) return EMPTY_LAYER
  const checked = checkValue(key, readText(key, env[name] ?? ""), { type: "env", name })
  switch (checked.type) {
    case "setting":
      return { ...EMPTY_LAYER, settings: [checked.setting] }
    case "problem":
      return { ...EMPTY_LAYER, problems: [checked.problem] }
    case "unset":
      return EMPTY_LAYER
  }
}

const EMPTY_LAYER: ConfigLayer = { settings: [], problems: [], warnings: [] }

function isOurs(name: string): boolean {
  return name.startsWith(ENV_PREFIX) && !name.startsWith(INTERNAL_ENV_PREFIX) && name !== MASTER_KEY_NAME
}

function unknownVariable(name: string): string {
  const names = CONFIG_KEYS.map(key => key.envName)
  const near = nearest(name, names)
  return `environment ${name}: unknown key, ignored${near === undefined ? "" : `; did you mean "${near}"?`}`
}
