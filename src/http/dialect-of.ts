/** In which dialect a request wants to be answered whose address does not say all of it. */

import type { ProtocolId } from "#core/ids.ts"
import { isGeminiClient, isMessagesClient } from "#protocols/client-hints.ts"

/** Versions that only one dialect has. */
const GEMINI_PATH = /^\/+v1(beta|alpha)\//

/** Dialects whose clients are told by what they send; Ollama's have a listener of their own. */
type ToldDialect = Exclude<ProtocolId, "ollama">

/** Returns the dialect of the models' addresses and of errors at unknown ones; OpenAI's is the common one. */
export function dialectOf({ headers, url }: Pick<Request, "headers" | "url">): ToldDialect {
  if (GEMINI_PATH.test(new URL(url).pathname)) return "gemini"
  if (isMessagesClient(headers)) return "anthropic-messages"
  return isGeminiClient(headers) ? "gemini" : "openai-chat"
}

/** The same for a request for which there is no route: half an address may still say who asks. */
export function dialectAt(request: Request): ToldDialect {
  return /\/messages(\/|$)/.test(new URL(request.url).pathname) ? "anthropic-messages" : dialectOf(request)
}
