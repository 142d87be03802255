/** What an upstream's error object says, wherever the object stood. */

import { epochSeconds } from "./epoch-seconds.ts"
import { type JsonObject, numberAt, stringAt } from "./json.ts"
import type { UpstreamFailure } from "./upstream.ts"

/** The facts an error object states by itself; its message depends on where it stood. */
export type ErrorFacts = Pick<UpstreamFailure, "code" | "type" | "param" | "planType" | "resetsAtSec" | "resetsInSec">

/** Reads the facts of one error object; what is absent or of another type is left out. */
export function readErrorFacts(error: JsonObject): ErrorFacts {
  const code = stringAt(error, "code")
  const type = stringAt(error, "type")
  const param = stringAt(error, "param")
  const planType = stringAt(error, "plan_type")
  const resetsAtSec = numberAt(error, "resets_at")
  const resetsInSec = numberAt(error, "resets_in_seconds")
  return {
    ...(code !== undefined && { code }),
    // In the flat shape `type` names the event, not the failure.
    ...(type !== undefined && type !== "error" && { type }),
    ...(param !== undefined && { param }),
    ...(planType !== undefined && { planType }),
    ...(resetsAtSec !== undefined && { resetsAtSec: epochSeconds(resetsAtSec) }),
    ...(resetsInSec !== undefined && { resetsInSec }),
  }
}
