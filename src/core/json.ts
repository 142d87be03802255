/** JSON values and the spliceable JSON string literal. */

declare const jsonText: unique symbol

/** A JSON string literal with its quotes, already escaped. Splice it; never stringify it again. */
export type JsonText = string & { readonly [jsonText]: true }

/** Any value `JSON.parse` can return. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A JSON object as it came from outside: keys unknown, values unknown. */
export type JsonObject = { readonly [key: string]: Json }

/** A JSON object under construction; it becomes a {@link JsonObject} once it leaves the function that builds it. */
export type MutableJsonObject = { [key: string]: Json }

/** Escapes and quotes `text`: the slow road, for text that did not come from a wire literal. */
export function jsonTextOf(text: string): JsonText {
  // JSON.stringify of a string is by definition a JSON string literal.
  return JSON.stringify(text) as JsonText
}

/** Returns the text a literal stands for. */
export function readJsonText(literal: JsonText): string {
  // The brand guarantees a complete string literal, so the parse yields a string.
  return JSON.parse(literal) as string
}

/** True for a plain JSON object, false for null, arrays and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Parses a text that may be anything: its JSON object, or undefined for broken text, arrays and scalars. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    // The parse touches nothing but the text, and undefined tells the caller all there is: no object stands here.
    return undefined
  }
}

/** Returns the string under `key`, or undefined when it is absent or of another type. */
export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = object[key]
  return typeof value === "string" ? value : undefined
}

/** Returns the finite number under `key`, or undefined. */
export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = object[key]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** Returns the object under `key`, or undefined. */
export function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key]
  return isJsonObject(value) ? value : undefined
}

/** Returns the array under `key`, or undefined. */
export function arrayAt(object: JsonObject, key: string): readonly Json[] | undefined {
  const value = object[key]
  return Array.isArray(value) ? value : undefined
}
