/** The gateway: every way in, put together from the bricks. */

import type { CompactMode } from "./calls/compact.ts"
import { type ModelCalls, makeModelCalls } from "./calls/model-calls.ts"
import type { ServeTurnParts } from "./calls/serve-turn-parts.ts"
import { type Desk, type DeskParts, makeDesk } from "./desk/desk.ts"
import type { ResponseMemory } from "./memory/response-memory.ts"
import type { Catalogue } from "./models/catalogue.ts"
import { type ModelEndpoints, makeModelEndpoints } from "./models/endpoints.ts"
import { makeOperators, type Operators, type OperatorsParts } from "./pool/operators.ts"
import type { Status } from "./pool/status.ts"
import type { TokenCounter } from "./tokens/token-counter.ts"

/** What HTTP and the commands can ask of the gateway. */
export type Gateway = ModelCalls &
  Status &
  Operators & { readonly models: ModelEndpoints; readonly memory: ResponseMemory; readonly desk: Desk }

/** What the gateway is made of. */
export type GatewayParts = OperatorsParts & {
  readonly serving: ServeTurnParts
  readonly tokens: TokenCounter
  readonly catalogue: Catalogue
  /** Resolves a client's model name; throws `model-not-found`. */
  readonly slugOf: (name: string) => string
  /** The operator's names for models. */
  readonly aliases: () => Readonly<Record<string, string>>
  readonly compactMode: () => CompactMode
  readonly status: Status
  readonly desk: DeskParts
}

/** Puts the gateway together. */
export function makeGateway(parts: GatewayParts): Gateway {
  return {
    ...makeModelCalls(parts.serving, parts.tokens, parts.compactMode),
    ...parts.status,
    ...makeOperators(parts),
    models: makeModelEndpoints(parts),
    memory: parts.serving.turn.memory,
    desk: makeDesk(parts.desk),
  }
}
