/** Legacy completions body → neutral request: the prompt becomes one user message. */

import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import { invalidRequest, withoutNulls } from "#protocols/check-body.ts"
import { sessionHeader, threadHeader } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"

import { checkCompletionsBody } from "./schema.ts"

/** Members that ask for something else than one continuation, and the value that asks for nothing. */
const ONE_ANSWER = [
  { param: "n", harmless: 1 },
  { param: "best_of", harmless: 1 },
  { param: "logprobs", harmless: 0 },
] as const

/** Decodes a completions call. Throws `invalid-request` with `param` and `code`. */
export function decodeCompletionsRequest(call: ClientCall): ModelRequest {
  const body = withoutNulls(call.json)
  checkCompletionsBody(body)
  rejectUnsupported(body)
  return {
    protocol: call.protocol,
    // The schema check has made sure of the string.
    model: stringAt(body, "model") ?? "",
    body: {
      type: "neutral",
      input: [{ type: "message", role: "user", parts: [{ type: "text", text: promptOf(body) }] }],
      tools: [],
    },
    stream: body["stream"] === true,
    ...defined({
      serviceTier: stringAt(body, "service_tier"),
      cacheKey: stringAt(body, "prompt_cache_key") || threadHeader(call.headers) || sessionHeader(call.headers),
      sessionHint: stringAt(body, "user"),
    }),
    reply: {
      includeUsage: objectAt(body, "stream_options")?.["include_usage"] === true,
      legacyFunctions: false,
      customAsFunction: false,
      codexClient: false,
    },
  }
}

/** A list is served when it holds one text: several prompts are several answers, which one turn cannot give. */
function promptOf(body: JsonObject): string {
  const prompt = body["prompt"]
  if (typeof prompt === "string") return prompt
  const prompts = Array.isArray(prompt) ? prompt : []
  const [only] = prompts
  if (prompts.length === 1 && typeof only === "string") return only
  if (prompts.length > 1 && prompts.every(entry => typeof entry === "string")) {
    throw invalidRequest(
      "Only one prompt per request is supported; send each prompt in a request of its own.",
      "prompt",
      "unsupported_value",
    )
  }
  throw invalidRequest("'prompt' must be text; lists of tokens are not supported.", "prompt", "invalid_type")
}

/** Refuses what would silently give the client something else than it asked for. */
function rejectUnsupported(body: JsonObject): void {
  for (const { param, harmless } of ONE_ANSWER) {
    const value = numberAt(body, param)
    if (value === undefined || value === harmless) continue
    throw invalidRequest(`'${param}' must be ${harmless} or absent.`, param, "unsupported_value")
  }
  if (body["echo"] === true) throw invalidRequest("'echo' is not supported.", "echo", "unsupported_value")
  if (!stringAt(body, "suffix")) return
  throw invalidRequest(
    "'suffix' is not supported: chat models continue a text, they do not fill gaps.",
    "suffix",
    "unsupported_value",
  )
}
