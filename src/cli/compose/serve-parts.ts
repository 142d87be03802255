/** What the HTTP border needs of a configuration. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import { refusedOutcome } from "#gateway/calls/refused-outcome.ts"
import { makeAdmission } from "#http/admission.ts"
import type { ServeParts } from "#http/serve-model.ts"

import { randomBytes } from "./random-bytes.ts"

/** Builds the parts; `config` is read again at each request, so that live settings take effect. */
export function serveParts(config: () => Config, record: (outcome: Outcome) => void): ServeParts {
  return {
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    admission: admissionOf(config),
    bodyLimits: () => ({ maxBytes: config().maxBodyBytes, timeoutMs: config().bodyTimeoutMs }),
    refused: refusal => record(refusedOutcome({ ...refusal, nowMs: systemClock() })),
  }
}

/** Keys may change while running; the digests are made again only then. */
function admissionOf(config: () => Config) {
  let keys = config().apiKeys
  let admission = makeAdmission(keys)
  return () => {
    const current = config().apiKeys
    if (current !== keys) {
      keys = current
      admission = makeAdmission(keys)
    }
    return admission
  }
}
