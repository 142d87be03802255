/** The request id as headers of an answer. */

import type { ProtocolId, RequestId } from "#core/ids.ts"
import { clientProtocols } from "#protocols/registry.ts"

/** The id under the name every client of ours can find, and under the dialect's own. */
export function requestIdHeaders(protocol: ProtocolId, id: RequestId): Readonly<Record<string, string>> {
  const { requestIdHeader } = clientProtocols[protocol]
  return { "x-request-id": id, ...(requestIdHeader !== undefined && { [requestIdHeader]: id }) }
}
