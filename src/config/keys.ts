/** The schema's settings as one flat list: path, environment variable and flag of each. */

import { type TObject, type TSchema, TypeGuard } from "@sinclair/typebox"

import { nearest } from "./edit-distance.ts"
import { type LeafNote, noteOf } from "./leaf.ts"
import { CONFIG_SCHEMA } from "./schema.ts"

/** One setting. */
export type ConfigKey = {
  /** `max-retry`, or `queue.timeout` inside a section. */
  readonly path: string
  readonly schema: TSchema
  readonly note: LeafNote
  /** `SLUICE_QUEUE_TIMEOUT`. */
  readonly envName: string
  /** `--queue-timeout`. */
  readonly flagName: string
}

/** Beginning of the environment variables that are settings. */
export const ENV_PREFIX = "SLUICE_"

/** Every setting in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = Object.entries(CONFIG_SCHEMA.properties).flatMap(([name, schema]) =>
  keysOf(name, schema),
)

const KEY_BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map(key => [key.path, key]))
const KEY_BY_ENV: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map(key => [key.envName, key]))
const KEY_BY_FLAG: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map(key => [key.flagName, key]))

/** The sections (`queue`, …) with the names of the settings inside. */
export const CONFIG_SECTIONS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(CONFIG_SCHEMA.properties).flatMap(([name, schema]) =>
    isSection(schema) ? [[name, Object.keys(schema.properties)] as const] : [],
  ),
)

/** Returns the setting at a path, or undefined. */
export function keyAt(path: string): ConfigKey | undefined {
  return KEY_BY_PATH.get(path)
}

/** Returns the setting an environment variable stands for, or undefined. */
export function keyOfEnv(name: string): ConfigKey | undefined {
  return KEY_BY_ENV.get(name)
}

/** Returns the setting a flag stands for, or undefined; `--queue.timeout` and `--queue-timeout` are the same. */
export function keyOfFlag(name: string): ConfigKey | undefined {
  return KEY_BY_FLAG.get(name.replace(".", "-"))
}

/** Returns the path that a mistyped one probably means, or undefined. */
export function nearestPath(path: string): string | undefined {
  return nearest(path, [...KEY_BY_PATH.keys(), ...CONFIG_SECTIONS.keys()])
}

/** True for a schema that holds settings of its own. */
export function isSection(schema: TSchema): schema is TObject {
  return TypeGuard.IsObject(schema)
}

function keysOf(path: string, schema: TSchema): readonly ConfigKey[] {
  if (isSection(schema)) {
    return Object.entries(schema.properties).flatMap(([name, inner]) => keysOf(`${path}.${name}`, inner))
  }
  const words = path.replace(".", "-")
  const envName = ENV_PREFIX + words.replaceAll("-", "_").toUpperCase()
  return [{ path, schema, note: noteOf(schema), envName, flagName: `--${words}` }]
}
