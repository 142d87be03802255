/** Everything the gateway remembers about who served what. Hints and provenance, never a rule. */

import type { Clock } from "#core/clock.ts"

import { makeAccountNumbers } from "./account-numbers.ts"
import { type KeepableBindings, makeBindings } from "./bindings.ts"

/** The memories by kind; the kinds are the names they are kept under. */
export type Affinity = {
  /** Conversations, and the sessions they belong to, by their keys. */
  readonly conversations: KeepableBindings
  /** Issuers of turn states, by the token. */
  readonly turnStates: KeepableBindings
  /** Makers of encrypted reasoning and compactions, by the encrypted text. */
  readonly blobs: KeepableBindings
  /** Conversations that have left a slow account, and which one: they do not leave again soon. */
  readonly escapes: KeepableBindings
}

const HOUR_MS = 60 * 60_000

/** About as long as the upstream keeps a prompt cache; a conversation may last much longer, as long as it goes on. */
const CONVERSATION_IDLE_MS = HOUR_MS
const TURN_STATE_IDLE_MS = 24 * HOUR_MS
/** Clients bring encrypted reasoning back days later, when a conversation is resumed. */
const BLOB_IDLE_MS = 7 * 24 * HOUR_MS

const MAX_CONVERSATIONS = 100_000
const MAX_TURN_STATES = 100_000
const MAX_BLOBS = 200_000
/** What is slow everywhere is slow by itself: a conversation that goes on in it does not flee from account to account. */
const ESCAPE_IDLE_MS = HOUR_MS
const MAX_ESCAPES = 20_000

/** Makes empty memories. */
export function makeAffinity({ clock }: { readonly clock: Clock }): Affinity {
  const shared = { clock, numbers: makeAccountNumbers() }
  return {
    conversations: makeBindings({ ...shared, maxEntries: MAX_CONVERSATIONS, idleMs: CONVERSATION_IDLE_MS }),
    turnStates: makeBindings({ ...shared, maxEntries: MAX_TURN_STATES, idleMs: TURN_STATE_IDLE_MS }),
    blobs: makeBindings({ ...shared, maxEntries: MAX_BLOBS, idleMs: BLOB_IDLE_MS }),
    escapes: makeBindings({ ...shared, maxEntries: MAX_ESCAPES, idleMs: ESCAPE_IDLE_MS }),
  }
}
