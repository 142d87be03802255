/** The conversation and what goes with it: contents, instructions, tools. */

import type { JsonObject } from "#core/json.ts"
import type { NeutralBody } from "#core/request.ts"
import { defined } from "#protocols/defined.ts"
import { withJsonHint } from "#protocols/json-hint.ts"

import { decodeContents, decodeInstructions } from "./decode-contents.ts"
import { decodeToolChoice, decodeTools } from "./decode-tools.ts"
import { imageToolOf } from "./image-tool.ts"
import { detailOf } from "./media.ts"
import { member, objectMember } from "./members.ts"

/** Reads them. Throws `invalid-request` with `param` and `code`. */
export function decodeBody(json: JsonObject, model: string, format: NeutralBody["format"]): NeutralBody {
  const tools = decodeTools(json)
  const imageTool = imageToolOf(json, model)
  const detail = detailOf(objectMember(json, "generationConfig") ?? {})
  return {
    type: "neutral",
    input: withJsonHint(decodeContents(member(json, "contents"), detail), format),
    tools: imageTool === undefined ? tools : [...tools, imageTool],
    ...defined({
      instructions: decodeInstructions(json),
      toolChoice: decodeToolChoice(json, tools),
      parallelToolCalls: tools.length > 0 ? true : undefined,
      format,
    }),
  }
}
