/** Arguments that models are known to fill in wrongly, put right before a client runs the tool. */

import { isJsonObject, type JsonObject, type MutableJsonObject } from "#core/json.ts"

/** No file has as many lines; the model made the number up. */
const ABSURD_OFFSET = 1_000_000

/** Returns the arguments to use, the same object when they are fine. */
type Tidy = (input: JsonObject) => JsonObject

/**
 * Tools of Claude Code whose optional members some models fill with blanks, although the schema does not ask for
 * them. Never more tools than these: an empty string means something elsewhere (`Edit.new_string`).
 */
const TIDIES: ReadonlyMap<string, Tidy> = new Map<string, Tidy>([
  ["Read", tidyRead],
  ["EnterWorktree", tidyWorktree],
])

/** True for a tool whose arguments have to be whole before they can be passed on. */
export function needsTidying(name: string): boolean {
  return TIDIES.has(name)
}

/** Returns the argument text to pass on: the text itself unless something had to go. */
export function tidyArguments(name: string, text: string): string {
  const tidy = TIDIES.get(name)
  const input: unknown = JSON.parse(text)
  if (tidy === undefined || !isJsonObject(input)) return text
  const tidied = tidy(input)
  return tidied === input ? text : JSON.stringify(tidied)
}

function tidyRead(input: JsonObject): JsonObject {
  const { pages, offset } = input
  const drop: string[] = []
  if (isBlank(pages)) drop.push("pages")
  if (typeof offset === "number" && offset >= ABSURD_OFFSET) drop.push("offset")
  return without(input, drop)
}

/** One of the two says where to go; the other one, if blank, would be taken for a place as well. */
function tidyWorktree(input: JsonObject): JsonObject {
  const { name, path } = input
  if (isBlank(name) && typeof path === "string" && !isBlank(path)) return without(input, ["name"])
  if (isBlank(path) && typeof name === "string" && !isBlank(name)) return without(input, ["path"])
  return input
}

function isBlank(value: unknown): boolean {
  return typeof value === "string" && value.trim() === ""
}

function without(input: JsonObject, keys: readonly string[]): JsonObject {
  if (keys.length === 0) return input
  const kept: MutableJsonObject = { ...input }
  for (const key of keys) delete kept[key]
  return kept
}
