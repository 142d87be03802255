/** `responseFormat`: what kinds of output are wanted, and how each is to look. */

import type { JsonObject } from "#core/json.ts"

import { objectMember, objectsMember } from "./members.ts"

/** One format a kind; the first of a kind counts. */
export type ResponseFormats = {
  readonly text?: JsonObject
  readonly image?: JsonObject
  /** Sound or film is wanted. */
  readonly isHeard: boolean
}

/** Reads the list of a `generationConfig`. */
export function responseFormats(config: JsonObject): ResponseFormats {
  const formats = objectsMember(config, "responseFormat")
  const first = (kind: string) => formats.map(format => objectMember(format, kind)).find(one => one !== undefined)
  const [text, image] = [first("text"), first("image")]
  return {
    ...(text !== undefined && { text }),
    ...(image !== undefined && { image }),
    isHeard: first("audio") !== undefined || first("video") !== undefined,
  }
}
