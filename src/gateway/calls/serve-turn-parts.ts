/** What serving a turn needs: the parts of the turn, and those of its answer. */

import type { Outcome } from "#core/outcome.ts"
import type { Heartbeat } from "#gateway/answer/heartbeat.ts"
import type { StreamLimits } from "#gateway/answer/stream-answer.ts"
import type { KeyGate } from "#gateway/keys/key-gate.ts"
import type { PrepareParts } from "#gateway/turn/prepare-turn.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"

import type { ImageParts } from "./images.ts"

/** What serving a turn needs besides the turn's own parts. */
export type ServeTurnParts = {
  readonly turn: TurnParts
  readonly heartbeat: Heartbeat
  readonly images: ImageParts
  readonly planModel: PrepareParts["planModel"]
  readonly streamLimits: () => StreamLimits
  readonly exposeCodexHeaders: () => boolean
  readonly record: (outcome: Outcome) => void
  readonly keys: KeyGate
}
