/** What the HTTP border needs of a configuration. */

import { VERSION } from "#cli/version.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import { refusedOutcome } from "#gateway/calls/refused-outcome.ts"
import type { StoredKeys } from "#gateway/keys/stored-keys.ts"
import { makeAdminAdmission } from "#http/admin-admission.ts"
import { makeAdmission } from "#http/admission.ts"
import type { OllamaStatus } from "#http/ollama/status.ts"
import type { ServeParts } from "#http/serve-model.ts"

import { randomBytes } from "./random-bytes.ts"

/** What the border is told of the gateway behind it. */
export type ServeFacts = {
  readonly stored: StoredKeys
  readonly record: (outcome: Outcome) => void
  readonly ollamaStatus: () => OllamaStatus
}

/** Builds the parts; `config` is read again at each request, so that live settings take effect. */
export function serveParts(config: () => Config, parts: ServeFacts): Omit<ServeParts, "peerOf"> {
  const { stored, record, ollamaStatus } = parts
  return {
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    admission: followKeys(
      () => config().apiKeys,
      apiKeys => makeAdmission(apiKeys, stored),
    ),
    admin: {
      admission: followKeys(() => config().adminKey, makeAdminAdmission),
      bodyTimeoutMs: () => config().bodyTimeoutMs,
      version: VERSION,
      ollamaStatus,
    },
    bodyLimits: () => ({ maxBytes: config().maxBodyBytes, timeoutMs: config().bodyTimeoutMs }),
    refused: refusal => record(refusedOutcome({ ...refusal, nowMs: systemClock() })),
  }
}

/** Keys may change while running; what is made of them is made again only then. */
function followKeys<Keys, Made>(read: () => Keys, make: (keys: Keys) => Made): () => Made {
  let keys = read()
  let made = make(keys)
  return () => {
    const current = read()
    if (current !== keys) {
      keys = current
      made = make(keys)
    }
    return made
  }
}
