/** The part of a body that is the request, and the refusal of what nobody here serves. */

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { member, objectMember, stringMember, stringsMember } from "./members.ts"
import { responseFormats } from "./response-formats.ts"

/** Returns the request. Throws `invalid-request` without contents, and for what would silently give something else. */
export function servedBody(json: JsonObject): JsonObject {
  const body = bodyOf(json)
  refuseUnserved(body)
  if (member(body, "contents") !== undefined) return body
  throw invalidRequest("Missing required parameter: 'contents'.", "contents", "missing_required_parameter")
}

/** A count may bring the request it is about as a member. */
function bodyOf(json: JsonObject): JsonObject {
  const inner = objectMember(json, "generateContentRequest")
  if (inner === undefined) return json
  if (member(json, "contents") === undefined) return inner
  const param = "generateContentRequest"
  throw invalidRequest(`'contents' and '${param}' exclude each other.`, param, "mutually_exclusive")
}

/** The kinds of output that are asked for, in capitals. */
export function modalitiesOf(json: JsonObject): readonly string[] {
  const config = objectMember(json, "generationConfig") ?? {}
  return stringsMember(config, "responseModalities").map(modality => modality.toUpperCase())
}

/** Refuses what would silently give the client something else than it asked for. */
function refuseUnserved(json: JsonObject): void {
  const cached = stringMember(json, "cachedContent")
  if (cached) {
    throw new GatewayError("not-found", `There is no cached content ${JSON.stringify(cached.slice(0, 80))} here.`, {
      param: "cachedContent",
      code: "cached_content_not_found",
      hint: "Send the content itself: prompts are cached by the upstream on its own.",
    })
  }
  const modalities = modalitiesOf(json)
  const config = objectMember(json, "generationConfig") ?? {}
  const isSpoken = modalities.length > 0 && modalities.every(modality => modality === "AUDIO")
  if (isSpoken || objectMember(config, "speechConfig") !== undefined || responseFormats(config).isHeard) {
    const param = "generationConfig.responseModalities"
    throw invalidRequest("Audio and video output is not supported.", param, "unsupported_value")
  }
}
