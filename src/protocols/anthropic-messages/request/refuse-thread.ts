/** Message threads, which need a server that keeps conversations: declined in the way that the SDK understands. */

import { GatewayError } from "#core/errors.ts"
import { type JsonObject, objectAt } from "#core/json.ts"
import { invalidRequest } from "#protocols/check-body.ts"

/** Throws for a request that begins or continues a thread. The SDK then sends whole conversations. */
export function refuseThread(body: JsonObject): void {
  const thread = objectAt(body, "thread")
  if (thread === undefined) return
  const advice = "send the whole conversation."
  if (thread["type"] !== "continue") {
    throw invalidRequest(`Message threads are not supported; ${advice}`, "thread", "thread_unsupported_request")
  }
  const options = { code: "thread_not_found", param: "thread" }
  throw new GatewayError("not-found", `Message threads are not kept here; ${advice}`, options)
}
