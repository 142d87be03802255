/** In which dialect a request wants to be answered whose address does not say it. */

import type { ProtocolId } from "#core/ids.ts"
import { isMessagesClient } from "#protocols/client-hints.ts"

/** Returns the dialect of the models' addresses and of errors at unknown ones; OpenAI's is the common one. */
export function dialectOf(headers: Headers): ProtocolId {
  return isMessagesClient(headers) ? "anthropic-messages" : "openai-chat"
}

/** The same for a request for which there is no route: half an address may still say who asks. */
export function dialectAt({ url, headers }: Request): ProtocolId {
  return /\/messages(\/|$)/.test(new URL(url).pathname) ? "anthropic-messages" : dialectOf(headers)
}
