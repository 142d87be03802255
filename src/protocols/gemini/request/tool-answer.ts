/** What a tool answered: `functionResponse` → the output of a call. */

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"

import { decodeFileData, decodeInlineData } from "./media.ts"
import { member, objectMember, objectsMember } from "./members.ts"

/** An output and whether it tells of a failure. */
export type ToolAnswer = { readonly output: string | readonly ContentPart[]; readonly isError?: boolean }

/** Reads one answer. Throws `invalid-request` for media no upstream can see. */
export function decodeToolAnswer(answer: JsonObject, place: string): ToolAnswer {
  const { text, isError } = answerText(member(answer, "response"))
  const media = objectsMember(answer, "parts").flatMap((part, index) => mediaOf(part, `${place}.parts[${index}]`))
  const output: ToolAnswer["output"] = media.length === 0 ? text : [{ type: "text", text }, ...media]
  return isError ? { output, isError } : { output }
}

/** The common wrappers around a single text are taken off; any other object stays what it is. */
function answerText(response: Json | undefined): { readonly text: string; readonly isError: boolean } {
  if (typeof response === "string") return { text: response, isError: false }
  if (!isJsonObject(response)) return { text: JSON.stringify(response ?? {}), isError: false }
  const [only, ...others] = Object.entries(response)
  if (only !== undefined && others.length === 0 && typeof only[1] === "string") {
    if (only[0] === "output" || only[0] === "result") return { text: only[1], isError: false }
    if (only[0] === "error") return { text: only[1], isError: true }
  }
  return { text: JSON.stringify(response), isError: false }
}

function mediaOf(part: JsonObject, place: string): readonly ContentPart[] {
  const inline = objectMember(part, "inlineData")
  if (inline !== undefined) return [decodeInlineData(inline, place)]
  const file = objectMember(part, "fileData")
  return file === undefined ? [] : [decodeFileData(file, place)]
}
