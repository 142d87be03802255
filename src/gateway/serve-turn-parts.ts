/** What serving a turn needs: the parts of the turn, and those of its answer. */

import type { Outcome } from "#core/outcome.ts"

import type { Heartbeat } from "./heartbeat.ts"
import type { PrepareParts } from "./prepare-turn.ts"
import type { StreamLimits } from "./stream-answer.ts"
import type { TurnParts } from "./turn-parts.ts"

/** What serving a turn needs besides the turn's own parts. */
export type ServeTurnParts = {
  readonly turn: TurnParts
  readonly heartbeat: Heartbeat
  readonly planModel: PrepareParts["planModel"]
  readonly streamLimits: () => StreamLimits
  readonly exposeCodexHeaders: () => boolean
  readonly record: (outcome: Outcome) => void
}
