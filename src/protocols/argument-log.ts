/** Watches the argument text of one tool call: it must come to a JSON object, and it must come to an end. */

import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type JsonText, readJsonText } from "#core/json.ts"
import { literalBody, literalOfBody } from "#wire/json-literal.ts"

/** More is no argument any more but a model that does not stop. */
const MAX_ARGUMENT_CHARS = 5_000_000

/** Blanks in a row outside of a string that nobody writes on purpose. */
const MAX_BLANKS = 1024

/** What the arguments of a call came to. */
export type Arguments = { readonly text: string; readonly isObject: boolean }

/** The argument text of one call so far. */
export type ArgumentLog = {
  /** Returns false for a delta that must not be passed on. Throws `upstream-protocol` for text without end. */
  readonly append: (literal: JsonText) => boolean
  /** Nothing at all and `null` count as an empty object. */
  readonly whole: () => Arguments
}

/** Makes an empty log. */
export function makeArgumentLog(): ArgumentLog {
  const bodies: string[] = []
  let chars = 0
  let blanks = 0
  let isOver = false
  const textOf = () => readJsonText(literalOfBody(bodies.join("")))
  return {
    append: literal => {
      if (isOver) return false
      const body = literalBody(literal)
      bodies.push(body)
      chars += body.length
      if (chars > MAX_ARGUMENT_CHARS) throw runaway("are longer than any tool takes")
      blanks = isBlank(body) ? blanks + body.length : 0
      if (blanks < MAX_BLANKS) return true
      blanks = 0
      const text = textOf()
      if (endsInString(text)) return true
      if (!readArguments(text).isObject) throw runaway("do not come to an end")
      isOver = true
      return false
    },
    whole: () => readArguments(textOf()),
  }
}

/** The error of arguments that no tool can be run with. No other arguments are ever made up in their place. */
export function brokenArguments(): GatewayError {
  return new GatewayError("upstream-protocol", "The model called a tool with arguments that are no JSON object.", {
    code: "invalid_tool_arguments",
  })
}

function runaway(what: string): GatewayError {
  return new GatewayError("upstream-protocol", `The arguments of a tool call ${what}.`, {
    code: "invalid_tool_arguments",
  })
}

function readArguments(source: string): Arguments {
  const text = source.trim()
  if (text === "" || text === "null") return { text: "{}", isObject: true }
  try {
    return { text, isObject: isJsonObject(JSON.parse(text)) }
  } catch {
    // What to do with a broken text is the caller's to say: it may be one that was cut.
    return { text: source, isObject: false }
  }
}

function isBlank(body: string): boolean {
  return /^(?: |\\[nrt]|\\u000[9ad])*$/i.test(body)
}

function endsInString(text: string): boolean {
  let isInside = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charAt(at)
    if (unit === "\\" && isInside) at++
    else if (unit === '"') isInside = !isInside
  }
  return isInside
}
