/** Identifiers shared by every folder: dialects, providers, accounts, requests. */

/** A dialect spoken on the wire, by a client or by an upstream. */
export type ProtocolId =
  | "openai-chat"
  | "openai-responses"
  | "openai-completions"
  | "openai-images"
  | "anthropic-messages"
  | "gemini"
  | "ollama"

/** A kind of upstream we know how to call. */
export type ProviderId = "codex" | "openai-api"

/** Stable id of one account inside this gateway, `acc_` + 16 hex digits. Never an upstream id. */
export type AccountId = string & { readonly accountId: unique symbol }

/** Id of one client request; stands in the response header, in the error body and in the log line. */
export type RequestId = string & { readonly requestId: unique symbol }

/** Source of randomness: fills and returns the array it is given, like `crypto.getRandomValues`. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>

const HEX = "0123456789abcdef"

/** Returns `prefix` followed by `lengthBytes` random bytes in lower-case hex. */
export function makeId(prefix: string, random: RandomBytes, lengthBytes = 12): string {
  const bytes = random(new Uint8Array(lengthBytes))
  let text = prefix
  for (const byte of bytes) text += (HEX[byte >> 4] ?? "0") + (HEX[byte & 15] ?? "0")
  return text
}
