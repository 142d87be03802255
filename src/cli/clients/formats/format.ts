/** The contract of a configuration format that other programs own: read it, change single values, leave the rest alone. */

import { GatewayError } from "#core/errors.ts"
import type { Json, JsonObject, MutableJsonObject } from "#core/json.ts"

/** A value and the keys that lead to it. */
export type Setting = { readonly path: readonly string[]; readonly value: Json }

/** How a kind of file is read and changed. */
export type Format = {
  readonly name: string
  /** Text of a file that does not exist yet. */
  readonly empty: string
  /** Throws {@link brokenText} for a text the client itself could not read. */
  readonly read: (text: string) => JsonObject
  /** Puts the values in; every byte that is not about them stays. The text is one that `read` takes. */
  readonly put: (text: string, settings: readonly Setting[]) => string
}

/** A text that cannot be read; `line` counts from 1. The reader of the file adds its name. */
export function brokenText(format: string, line: number | undefined, reason: string): GatewayError {
  const place = line === undefined ? "" : `line ${line}: `
  return new GatewayError("invalid-request", `${place}not readable as ${format}: ${reason}`)
}

/** Returns `before` with the values in their places: what a file must say after they were put in. */
export function withSettings(before: JsonObject, settings: readonly Setting[]): JsonObject {
  return settings.reduce((object, { path, value }) => withValue(object, path, value), before)
}

function withValue(object: JsonObject, [key, ...rest]: readonly string[], value: Json): JsonObject {
  if (key === undefined) return object
  const changed: MutableJsonObject = { ...object }
  const inner = object[key]
  changed[key] = rest.length === 0 ? value : withValue(isPlain(inner) ? inner : {}, rest, value)
  return changed
}

function isPlain(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
