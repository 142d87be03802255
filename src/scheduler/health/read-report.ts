/** What a failed attempt says about the account's health, and whether many accounts failing so would be nobody's own fault. */

import type { ErrorKind } from "#core/errors.ts"
import type { BlockCause } from "#core/outcome.ts"
import type { AttemptReport } from "#scheduler/types.ts"

import type { SharedFailure } from "./breaker.ts"
import type { HealthFailure } from "./history.ts"

/** The reading; undefined = says nothing. */
export type ReportReading = {
  readonly health: HealthFailure | undefined
  readonly shared: SharedFailure | undefined
  /** The upstream bears fewer requests at a time than there were. */
  readonly tooMany: boolean
}

const NOTHING: ReportReading = { health: undefined, shared: undefined, tooMany: false }

const BY_CAUSE = {
  // A limit with a reset is the account's own and says nothing about the upstream.
  quota: { health: "rate-limit", shared: undefined, tooMany: false },
  burst: { health: "rate-limit", shared: "rate-limit", tooMany: true },
  overload: { health: "server", shared: "server", tooMany: false },
  "server-error": { health: "server", shared: "server", tooMany: false },
  network: { health: "timeout", shared: "timeout", tooMany: false },
  credential: { health: "auth", shared: "auth", tooMany: false },
  forbidden: { health: "other", shared: "refused", tooMany: false },
  billing: { health: "other", shared: "refused", tooMany: false },
  // These have owners of their own: the prober, the plan, the way out.
  health: NOTHING,
  "model-unsupported": NOTHING,
  challenge: NOTHING,
  workspace: NOTHING,
  proxy: NOTHING,
} as const satisfies Record<BlockCause, ReportReading>

/** Reads a failed attempt of a client's request. */
export function readReport({ effect, kind, refusedOwnSeal }: AttemptReport): ReportReading {
  if (refusedOwnSeal === true) return { ...NOTHING, shared: "sealed-content" }
  switch (effect.type) {
    case "block":
      return BY_CAUSE[effect.cause]
    case "needs-login":
    case "suspend":
      return { health: "auth", shared: "auth", tooMany: false }
    case "refresh":
      // A token that has run out is cured by the refresh that follows.
      return { ...NOTHING, shared: "auth" }
    case "none":
      return readKind(kind)
  }
}

function readKind(kind: ErrorKind | undefined): ReportReading {
  if (kind === "rate-limited") return { health: "rate-limit", shared: "rate-limit", tooMany: true }
  // An address that suddenly does not exist, or a stream that broke: on one account it means nothing.
  if (kind === "upstream-unavailable" || kind === "upstream-overloaded") return { ...NOTHING, shared: "server" }
  return kind === "timeout" ? { ...NOTHING, shared: "timeout" } : NOTHING
}
