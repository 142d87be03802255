/** Neutral or native request → the body of an upstream Responses call. */

import { GatewayError } from "#core/errors.ts"
import { type Json, type JsonObject, stringAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import type { EncodedRequest, EncodePlan } from "#protocols/protocol.ts"

import type { ResponsesDraft } from "./encode/draft.ts"
import { draftOfNative } from "./encode/draft-native.ts"
import { draftOfNeutral } from "./encode/draft-neutral.ts"
import { encodeInput } from "./encode/encode-input.ts"
import { encodeInclude, encodeReasoning } from "./encode/encode-reasoning.ts"
import { encodeToolChoice } from "./encode/encode-tool-choice.ts"
import { type EncodedTools, encodeTools } from "./encode/encode-tools.ts"
import { encodeText } from "./encode/text-format.ts"

const NO_NAMES: ReadonlySet<string> = new Set()

/** Items that bring tools of their own, so that parallel calls matter although `tools` is empty. */
const TOOL_ITEMS: ReadonlySet<unknown> = new Set(["additional_tools", "tool_search_output"])

/**
 * Builds the upstream body: always streamed, never stored, in a fixed key order and without keys the plan's rules
 * forbid. Pure: the same request and plan give the same bytes. Strings and untouched objects are shared with the
 * request, not copied. Throws `invalid-request` for more than 128 tools.
 */
export function encodeResponsesRequest(request: ModelRequest, plan: EncodePlan): EncodedRequest {
  const draft = draftOf(request, plan)
  const encoded = encodeTools(draft.tools, {
    strictDefault: request.protocol === "openai-responses" ? undefined : false,
    nativeTools: request.body.type === "native",
    keepUnknownOptions: request.reply.codexClient,
    imageTool: plan.modelInfo?.supportsImageTool !== false,
  })
  const input = encodeInput(draft.input, {
    names: encoded.names,
    nativeTools: request.body.type === "native",
    systemAsDeveloper: plan.rules.codexBackend,
    dropCacheBreakpoints: plan.rules.codexBackend,
    dropEncrypted: plan.stripEncrypted,
    foreignTexts: plan.foreignTexts,
    jsonHint: draft.format?.["type"] === "json_object",
    customNames: request.protocol === "openai-chat" ? customNamesOf(encoded.tools) : NO_NAMES,
  })
  const verbosity = plan.modelInfo?.supportsVerbosity === false ? undefined : request.verbosity
  const body = allowed(plan, {
    model: plan.model,
    instructions: encodeInstructions(draft, request, plan),
    input,
    tools: encoded.tools.length === 0 ? undefined : encoded.tools,
    tool_choice: encodeToolChoice(draft.toolChoice, encoded),
    parallel_tool_calls: encodeParallel(draft, request, encoded),
    reasoning: encodeReasoning(draft, request, plan),
    store: false,
    stream: true,
    stream_options: encodeStreamOptions(draft, plan),
    include: encodeInclude(draft, request, plan),
    service_tier: plan.serviceTier,
    prompt_cache_key: plan.promptCacheKey,
    text: encodeText(draft.format, verbosity, request.reply.codexClient ? draft.text : {}),
    client_metadata: request.reply.codexClient ? draft.clientMetadata : undefined,
    ...draft.others,
  })
  return { body, toolNames: encoded.names.toClient }
}

/** Names declared as custom tools; the tools have no name twice. */
function customNamesOf(tools: readonly JsonObject[]): ReadonlySet<string> {
  return new Set(tools.filter(tool => tool["type"] === "custom").map(tool => stringAt(tool, "name") ?? ""))
}

function draftOf(request: ModelRequest, plan: EncodePlan): ResponsesDraft {
  if (request.body.type === "neutral") return draftOfNeutral(request.body, plan.origin)
  if (request.body.family === "openai-responses") return draftOfNative(request.body.json)
  throw new GatewayError("internal", `A native ${request.body.family} body cannot go to a Responses upstream.`)
}

/** The Codex backend demands the key, except in the reduced lane, where the instructions stand in `input`. */
function encodeInstructions(draft: ResponsesDraft, request: ModelRequest, plan: EncodePlan): string | undefined {
  if (draft.instructions !== undefined) return draft.instructions
  return plan.rules.codexBackend && request.responsesLite !== true ? "" : undefined
}

/** The upstream refuses the key without tools, and `true` in the reduced lane. */
function encodeParallel(draft: ResponsesDraft, request: ModelRequest, encoded: EncodedTools): boolean | undefined {
  if (request.responsesLite) return false
  const hasTools = encoded.tools.length > 0 || draft.input.some(item => TOOL_ITEMS.has(item["type"]))
  return hasTools ? draft.parallelToolCalls : undefined
}

function encodeStreamOptions(draft: ResponsesDraft, plan: EncodePlan): JsonObject | undefined {
  if (draft.streamOptions === undefined || !plan.rules.codexBackend) return draft.streamOptions
  const delivery = stringAt(draft.streamOptions, "reasoning_summary_delivery")
  return delivery === undefined ? undefined : { reasoning_summary_delivery: delivery }
}

/** Leaves out what has no value and what the rules do not list. */
function allowed(plan: EncodePlan, members: { readonly [key: string]: Json | undefined }): JsonObject {
  const { allowedKeys } = plan.rules
  const entries: [string, Json][] = []
  for (const [key, value] of Object.entries(members)) {
    if (value === undefined || (allowedKeys !== undefined && !allowedKeys.has(key))) continue
    entries.push([key, value])
  }
  return Object.fromEntries(entries)
}
