/** The body of `/api/generate` → instructions and one message of the user. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import type { Conversation } from "./decode-messages.ts"

/** What a raw prompt may not stand beside. */
const NOT_WITH_RAW = ["system", "template", "context"] as const

/** Reads the prompt. Throws `invalid-request` for what it excludes, and for a text to fill in between. */
export function decodePrompt(body: JsonObject, images: readonly ContentPart[]): Conversation {
  if (stringAt(body, "suffix")) {
    const message = `${JSON.stringify(stringAt(body, "model")?.slice(0, 80))} does not support insert: leave 'suffix' out.`
    throw invalidRequest(message, "suffix", "unsupported_parameter")
  }
  if (body["raw"] === true) refuseBesideRaw(body)
  const system = stringAt(body, "system")
  const text = stringAt(body, "prompt") ?? ""
  const parts: readonly ContentPart[] = [...(text === "" ? [] : [{ type: "text", text } as const]), ...images]
  return { ...(system ? { instructions: system } : {}), input: [{ type: "message", role: "user", parts }] }
}

function refuseBesideRaw(body: JsonObject): void {
  const other = NOT_WITH_RAW.find(name => {
    const value = body[name]
    return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0)
  })
  if (other === undefined) return
  throw invalidRequest(`'raw' and '${other}' exclude each other.`, other, "mutually_exclusive")
}
