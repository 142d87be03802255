/** Chat Completions body → neutral request. */

import { arrayAt, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest, NeutralBody, ReplyOptions } from "#core/request.ts"
import { invalidRequest, withoutNulls } from "#protocols/check-body.ts"
import { isCodexClient, isCursorClient, isResponsesLite, sessionHeader, threadHeader } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"
import { decodeResponsesRequest } from "#protocols/openai-responses/decode-request.ts"

import { decodeChatFormat } from "./decode-format.ts"
import { decodeChatMessages } from "./decode-messages.ts"
import { decodeChatToolChoice } from "./decode-tool-choice.ts"
import { decodeChatTools } from "./decode-tools.ts"
import { checkChatBody } from "./schema.ts"

const VERBOSITIES: ReadonlySet<string> = new Set(["low", "medium", "high"])

/**
 * Decodes a Chat Completions call. A body without messages but with `input` or `instructions` (Cursor posts such
 * bodies to the chat address) is decoded as a Responses body and still answered in chat form.
 * Throws `invalid-request` with `param` and `code`.
 */
export function decodeChatRequest(call: ClientCall): ModelRequest {
  const body = withoutNulls(call.json)
  checkChatBody(body)
  rejectUnsupported(body)
  const messages = arrayAt(body, "messages") ?? []
  if (messages.length > 0) return decodeChat(call, body)
  if (body["input"] === undefined && body["instructions"] === undefined) {
    throw invalidRequest("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
  }
  return { ...decodeResponsesRequest(call), reply: replyOptions(call, body) }
}

function decodeChat(call: ClientCall, body: JsonObject): ModelRequest {
  const reasoning = objectAt(body, "reasoning") ?? {}
  return {
    protocol: call.protocol,
    // The schema check has made sure of the string.
    model: stringAt(body, "model") ?? "",
    body: decodeBody(call, body),
    stream: body["stream"] === true,
    ...defined({
      effort: stringAt(body, "reasoning_effort") ?? stringAt(reasoning, "effort"),
      summary: stringAt(reasoning, "summary"),
      verbosity: decodeVerbosity(body),
      serviceTier: stringAt(body, "service_tier") ?? stringAt(body, "serviceTier"),
      cacheKey: stringAt(body, "prompt_cache_key") || threadHeader(call.headers) || sessionHeader(call.headers),
      sessionHint: stringAt(body, "user") ?? stringAt(body, "safety_identifier"),
    }),
    reply: replyOptions(call, body),
  }
}

function decodeBody(call: ClientCall, body: JsonObject): NeutralBody {
  const tools = decodeChatTools(body)
  const parallel = isResponsesLite(call.headers, body) ? false : body["parallel_tool_calls"]
  return {
    type: "neutral",
    input: decodeChatMessages(arrayAt(body, "messages") ?? [], tools.customNames),
    tools: tools.definitions,
    ...defined({
      toolChoice: decodeChatToolChoice(body, tools),
      parallelToolCalls: typeof parallel === "boolean" ? parallel : undefined,
      format: decodeChatFormat(body),
    }),
  }
}

function replyOptions(call: ClientCall, body: JsonObject): ReplyOptions {
  return {
    includeUsage: objectAt(body, "stream_options")?.["include_usage"] === true,
    legacyFunctions: arrayAt(body, "functions") !== undefined && (arrayAt(body, "tools") ?? []).length === 0,
    customAsFunction: isCursorClient(call.headers),
    codexClient: isCodexClient(call.headers),
  }
}

function decodeVerbosity(body: JsonObject): string | undefined {
  const verbosity = body["verbosity"]
  if (verbosity === undefined) return undefined
  if (typeof verbosity === "string" && VERBOSITIES.has(verbosity)) return verbosity
  throw invalidRequest("'verbosity' must be 'low', 'medium' or 'high'.", "verbosity", "invalid_value")
}

/** Refuses what would silently give the client something else than it asked for. */
function rejectUnsupported(body: JsonObject): void {
  const choices = body["n"]
  if (typeof choices === "number" && choices !== 1) {
    throw invalidRequest("Only one choice per request is supported: 'n' must be 1.", "n", "unsupported_value")
  }
  if (arrayAt(body, "modalities")?.includes("audio")) {
    throw invalidRequest("Audio output is not supported.", "modalities", "unsupported_value")
  }
}
