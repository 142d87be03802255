/** Reads a small text body, whatever it calls itself. */

import { GatewayError } from "#core/errors.ts"
import { isJsonObject, stringAt } from "#core/json.ts"
import { readBodyBytes } from "#http/read-body.ts"

import type { AdminParts } from "./admin-route.ts"

const MAX_TEXT_BYTES = 4 * 1024 * 1024

/**
 * Returns the body as text; a JSON object with a member of one of the names is unwrapped. Throws `invalid-request` for text
 * that is no UTF-8, and what reading a body throws.
 */
export async function readTextBody(
  request: Request,
  names: readonly string[],
  { timers, bodyTimeoutMs }: Pick<AdminParts, "timers" | "bodyTimeoutMs">,
): Promise<string> {
  const bytes = await readBodyBytes(request, { maxBytes: MAX_TEXT_BYTES, timeoutMs: bodyTimeoutMs(), timers })
  const text = decode(bytes)
  const value = objectIn(text)
  for (const name of names) {
    const inner = value === undefined ? undefined : stringAt(value, name)
    if (inner !== undefined) return inner
  }
  return text
}

function decode(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new GatewayError("invalid-request", "The body is not UTF-8 text.", { code: "invalid_text", cause })
  }
}

function objectIn(text: string) {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    // Not JSON: the text itself is meant.
    return undefined
  }
}
