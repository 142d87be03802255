/** Neutral body → draft of a Responses body. */

import { assertNever } from "#core/assert-never.ts"
import type { NativeItem } from "#core/events.ts"
import { isJsonObject, type Json, type JsonObject, type MutableJsonObject } from "#core/json.ts"
import type { ContentPart, InputItem, NeutralBody, ToolChoice, ToolDefinition } from "#core/request.ts"

import type { ResponsesDraft } from "./draft.ts"
import { formatOf } from "./text-format.ts"

/** Begins the output of a tool that failed: Responses has no flag for it. */
const ERROR_MARK = "Error:"

/**
 * Native items of other dialect families have no Responses form and are left out; so are those that another account than
 * the one of `origin` has sealed.
 */
export function draftOfNeutral(body: NeutralBody, origin?: string): ResponsesDraft {
  return {
    input: body.input.map(item => itemOf(item, origin)).filter(item => item !== undefined),
    instructions: body.instructions,
    tools: body.tools.map(toolOf),
    toolChoice: body.toolChoice === undefined ? undefined : toolChoiceOf(body.toolChoice),
    parallelToolCalls: body.parallelToolCalls,
    format: body.format === undefined ? undefined : formatOf(body.format),
    text: {},
    reasoning: {},
    include: [],
    streamOptions: undefined,
    clientMetadata: undefined,
    others: {},
  }
}

function itemOf(item: InputItem, origin: string | undefined): JsonObject | undefined {
  switch (item.type) {
    case "message": {
      const side = item.role === "assistant" ? "output" : "input"
      const content = item.parts.map(part => partOf(part, side))
      return present({ type: "message", role: item.role, content, phase: item.phase })
    }
    case "tool-call":
      return callOf(item)
    case "tool-result":
      return {
        type: item.kind === "custom" ? "custom_tool_call_output" : "function_call_output",
        call_id: item.callId,
        output: item.isError === true ? failedOutput(item.output) : outputOf(item.output),
      }
    case "native-item":
      return isReadable(item.item, origin) ? parseItem(item.item.json) : undefined
    default:
      return assertNever(item)
  }
}

function isReadable({ family, origin: sealedBy }: NativeItem, origin: string | undefined): boolean {
  return family === "openai-responses" && (sealedBy === undefined || origin === undefined || sealedBy === origin)
}

type ToolOutput = Extract<InputItem, { type: "tool-result" }>["output"]

function outputOf(output: ToolOutput): Json {
  return typeof output === "string" ? output : output.map(part => partOf(part, "input"))
}

function failedOutput(output: ToolOutput): Json {
  if (typeof output !== "string")
    return [{ type: "input_text", text: ERROR_MARK }, ...output.map(part => partOf(part, "input"))]
  if (output.trimStart().toLowerCase().startsWith(ERROR_MARK.toLowerCase())) return output
  return output === "" ? ERROR_MARK : `${ERROR_MARK} ${output}`
}

function callOf(call: Extract<InputItem, { type: "tool-call" }>): JsonObject {
  const { callId, name, input, namespace } = call
  return call.kind === "custom"
    ? present({ type: "custom_tool_call", call_id: callId, name, namespace, input })
    : present({ type: "function_call", call_id: callId, name, namespace, arguments: input })
}

function partOf(part: ContentPart, side: "input" | "output"): JsonObject {
  switch (part.type) {
    case "text":
      return { type: side === "output" ? "output_text" : "input_text", text: part.text }
    case "refusal":
      return { type: "refusal", refusal: part.text }
    case "image":
      return present({ type: "input_image", image_url: part.url, file_id: part.fileId, detail: part.detail })
    case "file":
      return present({
        type: "input_file",
        filename: part.filename,
        file_data: part.dataUrl,
        file_id: part.fileId,
        file_url: part.url,
      })
    default:
      return assertNever(part)
  }
}

function toolOf(tool: ToolDefinition): JsonObject {
  switch (tool.type) {
    case "function": {
      const { name, description, parameters, strict } = tool
      return present({ type: "function", name, description, parameters, strict })
    }
    case "custom":
      return present({ type: "custom", name: tool.name, description: tool.description, format: tool.format })
    case "web-search":
      return { ...tool.options, type: "web_search" }
    case "image-generation":
      return { ...tool.options, type: "image_generation" }
    default:
      return assertNever(tool)
  }
}

function toolChoiceOf(choice: ToolChoice): Json {
  switch (choice.type) {
    case "auto":
    case "none":
    case "required":
      return choice.type
    case "tool":
      return { type: choice.kind, name: choice.name }
    case "hosted":
      return { type: choice.name }
    case "allowed":
      return {
        type: "allowed_tools",
        mode: choice.mode,
        tools: choice.tools.map(tool => ({ type: tool.kind, name: tool.name })),
      }
    default:
      return assertNever(choice)
  }
}

function parseItem(json: string): JsonObject | undefined {
  const item: unknown = JSON.parse(json)
  return isJsonObject(item) ? item : undefined
}

/** Returns the members that have a value, in the order written. */
function present(members: { readonly [key: string]: Json | undefined }): JsonObject {
  const object: MutableJsonObject = {}
  for (const key of Object.keys(members)) {
    const value = members[key]
    if (value !== undefined) object[key] = value
  }
  return object
}
