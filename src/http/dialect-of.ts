/** In which dialect a request wants to be answered whose address does not say all of it. */

import { isGeminiClient, isMessagesClient } from "#protocols/client-hints.ts"

/** The dialects that share addresses. */
export type SharedDialect = "openai-chat" | "anthropic-messages" | "gemini"

/** Versions that only one dialect has. */
const GEMINI_PATH = /^\/+v1(beta|alpha)\//

/** Returns the dialect of the models' addresses and of errors at unknown ones; OpenAI's is the common one. */
export function dialectOf({ headers, url }: Pick<Request, "headers" | "url">): SharedDialect {
  if (GEMINI_PATH.test(new URL(url).pathname)) return "gemini"
  if (isMessagesClient(headers)) return "anthropic-messages"
  return isGeminiClient(headers) ? "gemini" : "openai-chat"
}

/** The same for a request for which there is no route: half an address may still say who asks. */
export function dialectAt(request: Request): SharedDialect {
  return /\/messages(\/|$)/.test(new URL(request.url).pathname) ? "anthropic-messages" : dialectOf(request)
}
