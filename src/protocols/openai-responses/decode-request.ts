/** Responses body → native request: what the gateway decides on is lifted out, the rest stays as it came. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import { invalidRequest, withoutNulls } from "#protocols/check-body.ts"
import { isCodexClient, isCursorClient, isResponsesLite } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"

import { decodeSession } from "./decode-session.ts"
import { flattenFormat } from "./encode/text-format.ts"
import { inputItemsOf } from "./input-items.ts"
import { checkResponsesBody } from "./schema.ts"

/** Members that need state kept by the server, which a gateway in front of `store: false` does not have. */
const STATEFUL_MEMBERS = ["conversation", "prompt"] as const

/**
 * Decodes a Responses call. `input` of the resulting body is always an array of objects.
 * Throws `invalid-request` with `param` and `code`, among others for `previous_response_id` and `item_reference`.
 */
export function decodeResponsesRequest(call: ClientCall): ModelRequest {
  const body = withoutNulls(call.json)
  checkResponsesBody(body)
  rejectStateful(body)
  const input = decodeInput(body["input"])
  checkTools(body)
  checkFormat(body)
  const reasoning = objectAt(body, "reasoning") ?? {}
  const lite = isResponsesLite(call.headers, body)
  return {
    protocol: call.protocol,
    // The schema check has made sure of the string.
    model: stringAt(body, "model") ?? "",
    body: { type: "native", family: "openai-responses", json: input === body["input"] ? body : { ...body, input } },
    stream: body["stream"] === true,
    ...defined({
      effort: stringAt(reasoning, "effort") ?? stringAt(body, "reasoning_effort"),
      summary: stringAt(reasoning, "summary") ?? stringAt(reasoning, "generate_summary"),
      verbosity: stringAt(objectAt(body, "text") ?? {}, "verbosity") ?? stringAt(body, "verbosity"),
      serviceTier: stringAt(body, "service_tier") ?? stringAt(body, "serviceTier"),
      ...decodeSession(call.headers, body),
      responsesLite: lite ? true : undefined,
    }),
    reply: {
      includeUsage: false,
      legacyFunctions: false,
      customAsFunction: isCursorClient(call.headers),
      codexClient: isCodexClient(call.headers),
    },
  }
}

/** Returns `input` as an array of items; the very same array when it already is one. */
function decodeInput(input: Json | undefined): readonly Json[] {
  if (input === undefined) {
    throw invalidRequest("Missing required parameter: 'input'.", "input", "missing_required_parameter")
  }
  const items = inputItemsOf(input)
  if (items === undefined) {
    throw invalidRequest("Invalid type for 'input': expected a string or an array.", "input", "invalid_type")
  }
  for (const [index, item] of items.entries()) checkItem(item, index)
  return items
}

function checkItem(item: Json, index: number): void {
  if (!isJsonObject(item)) {
    throw invalidRequest(`Invalid type for 'input[${index}]': expected an object.`, `input[${index}]`, "invalid_type")
  }
  if (item["type"] !== "item_reference") return
  throw invalidRequest(
    "Items are not stored, so an 'item_reference' cannot be resolved; send the item itself (for SDKs: set 'store' to false).",
    "input",
    "item_reference_not_found",
  )
}

function rejectStateful(body: JsonObject): void {
  for (const param of STATEFUL_MEMBERS) {
    if (body[param] === undefined) continue
    throw invalidRequest(`'${param}' needs stored state and is not supported.`, param, "unsupported_parameter")
  }
  if (body["background"] === true) {
    throw invalidRequest("Background responses are not supported.", "background", "unsupported_parameter")
  }
  const previous = body["previous_response_id"]
  if (previous === undefined) return
  const hint =
    typeof previous === "string" && previous.startsWith("msg_")
      ? "This is a message id, not a response id."
      : "Responses are not stored; send the whole conversation in 'input'."
  throw invalidRequest(`Previous response not found. ${hint}`, "previous_response_id", "previous_response_not_found")
}

function checkTools(body: JsonObject): void {
  for (const [index, tool] of (arrayAt(body, "tools") ?? []).entries()) {
    if (!isJsonObject(tool) || (tool["type"] !== "function" && tool["type"] !== "custom")) continue
    const nested = objectAt(tool, tool["type"])
    if (stringAt(nested ?? tool, "name")) continue
    const param = `tools[${index}]${nested ? `.${tool["type"]}` : ""}.name`
    throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
  }
}

function checkFormat(body: JsonObject): void {
  const inText = objectAt(objectAt(body, "text") ?? {}, "format")
  const format = inText ?? objectAt(body, "response_format")
  if (format === undefined || format["type"] !== "json_schema") return
  if (objectAt(flattenFormat(format), "schema") !== undefined) return
  const param = inText ? "text.format.schema" : "response_format.json_schema.schema"
  throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
}
