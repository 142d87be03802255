/** Decides whether a turn may go over a WebSocket, and prepares it for one. */

import type { JsonObject } from "#core/json.ts"
import type { UpstreamSocket, UpstreamTarget } from "#core/upstream.ts"
import type { Provider, TurnContext } from "#providers/provider.ts"

import type { Turn } from "./turn-types.ts"

/** How turns reach the upstream: the setting `upstream-transport`. */
export type UpstreamTransport = "http" | "ws" | "auto"

/** Returns the turn for a socket, or undefined when it has to go over HTTP. */
export function socketTurnOf(
  turn: Pick<Turn, "kind" | "plan">,
  { provider, target }: { readonly provider: Provider; readonly target: UpstreamTarget },
  { body, context }: { readonly body: JsonObject; readonly context: TurnContext },
  transport: UpstreamTransport,
): UpstreamSocket | undefined {
  if (transport === "http" || turn.kind.endpoint !== "turn") return undefined
  // The upstream says of each model which way it wants to be asked.
  if (transport === "auto" && turn.plan.info?.raw?.["prefer_websockets"] !== true) return undefined
  return provider.socketTurn?.(target, body, context)
}
