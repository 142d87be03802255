/** Codex's own web search without a model turn: read just enough to choose an account, and handed on as it came. */

import { stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import { invalidRequest, withoutNulls } from "#protocols/check-body.ts"
import { isCodexClient } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"
import type { EncodedRequest, EncodePlan } from "#protocols/protocol.ts"

import { decodeSession } from "./decode-session.ts"
import { checkResponsesBody } from "./schema.ts"

/**
 * Keys of a search; any other is refused as an unknown parameter, the cache key included.
 * @see https://github.com/openai/codex `codex-rs/codex-api`
 */
const SEARCH_KEYS: ReadonlySet<string> = new Set([
  "id",
  "model",
  "reasoning",
  "input",
  "commands",
  "settings",
  "max_output_tokens",
])

const NO_NAMES: ReadonlyMap<string, string> = new Map()

/** Decodes a search. Throws `invalid-request` for a body without a model or without anything to look for. */
export function decodeSearchRequest(call: ClientCall): ModelRequest {
  const json = withoutNulls(call.json)
  checkResponsesBody(json)
  if (json["input"] === undefined && json["commands"] === undefined) {
    throw invalidRequest("Missing required parameter: 'commands'.", "commands", "missing_required_parameter")
  }
  return {
    protocol: call.protocol,
    // The schema check has made sure of the string.
    model: stringAt(json, "model") ?? "",
    body: { type: "native", family: "openai-responses", json },
    stream: false,
    ...defined(decodeSession(call.headers, json)),
    reply: {
      includeUsage: false,
      legacyFunctions: false,
      customAsFunction: false,
      codexClient: isCodexClient(call.headers),
    },
  }
}

/** Builds the body of `POST …/alpha/search`: the client's own, with the upstream's name for the model. */
export function encodeSearchRequest(request: ModelRequest, { model }: EncodePlan): EncodedRequest {
  const json = request.body.type === "native" ? request.body.json : {}
  const kept = Object.entries(json).filter(([key]) => SEARCH_KEYS.has(key))
  return { body: { ...Object.fromEntries(kept), model }, toolNames: NO_NAMES }
}
