/** Routes of our own that need a client key: admission first, failures in the OpenAI envelope. */

import { errorResponse } from "./errors.ts"
import { newRequestId, type ServeParts } from "./serve-model.ts"

/** Admits the request, runs `handle`, and turns any failure into an answer. */
export async function guarded(
  request: Request,
  parts: ServeParts,
  handle: (url: URL) => Response | Promise<Response>,
): Promise<Response> {
  const url = new URL(request.url)
  try {
    parts.admission().admit(request, url)
    return await handle(url)
  } catch (cause) {
    return errorResponse(cause, "openai-chat", newRequestId(parts.random))
  }
}
