/** Encrypted reasoning as a thinking block's signature, and back: clients return a signature unread. */

import type { NativeItem } from "#core/events.ts"
import { isJsonObject, stringAt } from "#core/json.ts"

/** Begins every signature of ours; the number changes when the form does. */
const PREFIX = "sluice1"

/** Stands in no base64url text, and in no mark. */
const SEPARATOR = "."

/** More is no reasoning item of any upstream. */
const MAX_SIGNATURE_CHARS = 32 * 1024 * 1024

/** Returns `sluice1.<origin>.<encrypted content>`; undefined for items that cannot be replayed this way. */
export function sealSignature({ family, json }: NativeItem, origin: string | undefined): string | undefined {
  if (family !== "openai-responses") return undefined
  const item: unknown = JSON.parse(json)
  const content = isJsonObject(item) ? stringAt(item, "encrypted_content") : undefined
  return content ? [PREFIX, origin ?? "", content].join(SEPARATOR) : undefined
}

/**
 * Returns the item a signature of ours stands for. Other signatures, such as those of the vendor whose dialect this is,
 * mean nothing to our upstreams: undefined.
 */
export function unsealSignature(signature: string): NativeItem | undefined {
  if (!signature.startsWith(`${PREFIX}${SEPARATOR}`) || signature.length > MAX_SIGNATURE_CHARS) return undefined
  const originAt = PREFIX.length + SEPARATOR.length
  const separatorAt = signature.indexOf(SEPARATOR, originAt)
  const content = separatorAt === -1 ? "" : signature.slice(separatorAt + SEPARATOR.length)
  if (!/^[\w+/=-]+$/.test(content)) return undefined
  const origin = signature.slice(originAt, separatorAt)
  return {
    family: "openai-responses",
    // An empty summary is all the upstream asks for: the text was a rendering, the content is what it thought.
    json: JSON.stringify({ type: "reasoning", summary: [], encrypted_content: content }),
    ...(origin !== "" && { origin }),
  }
}
