/** Asks for tokens on a terminal, one a line, without showing them. */

import type { CommandIo } from "#cli/command.ts"
import { GatewayError } from "#core/errors.ts"

import { orCancelled } from "./or-cancelled.ts"

const ENTER = /[\r\n]/
const CTRL_C = "\u0003"
const CTRL_D = "\u0004"
const BACKSPACES = ["\b", "\u007f"]
/** Arrow keys, and the marks that terminals put around what is pasted. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
const KEY_SEQUENCES = /\u001b\[[0-9;]*[A-Za-z~]/g

type Entry = { readonly tokens: readonly string[]; readonly typed: string; readonly isEnded: boolean }

function press(entry: Entry, key: string): Entry {
  const { tokens, typed } = entry
  if (key === CTRL_C) throw new GatewayError("cancelled", "Cancelled.")
  if (key === CTRL_D || (ENTER.test(key) && typed === "")) return { ...entry, typed, isEnded: true }
  if (ENTER.test(key)) return { ...entry, tokens: [...tokens, typed], typed: "" }
  if (BACKSPACES.includes(key)) return { ...entry, typed: typed.slice(0, -1) }
  return key < " " ? entry : { ...entry, typed: typed + key }
}

/** Reads until an empty line or Ctrl-D. Rejects with `cancelled` after Ctrl-C. */
export async function askTokens({ stdin, stderr, signal }: CommandIo): Promise<readonly string[]> {
  stderr("Paste refresh or access tokens, one a line; they are not shown. An empty line ends.\n")
  let entry: Entry = { tokens: [], typed: "", isEnded: false }
  const keys = stdin.keys()[Symbol.asyncIterator]()
  try {
    while (!entry.isEnded) {
      const { done, value } = await orCancelled(keys.next(), signal)
      if (done === true) break
      // CRLF is one end of a line, and not an empty line after it.
      for (const key of value.replaceAll(KEY_SEQUENCES, "").replaceAll("\r\n", "\n")) {
        const before = entry.tokens.length
        entry = press(entry, key)
        if (entry.tokens.length > before)
          stderr(`token ${entry.tokens.length}: ${entry.tokens.at(-1)?.length} characters\n`)
        if (entry.isEnded) break
      }
    }
  } finally {
    await keys.return?.()
  }
  return entry.typed === "" ? entry.tokens : [...entry.tokens, entry.typed]
}
