/** The parts of one simulated backend, made once and handed to every endpoint. */

import type { Clock, Timers } from "#core/clock.ts"

import { type Accounts, makeAccounts } from "./accounts/accounts.ts"
import { makeQuotaEngine, type QuotaEngine } from "./accounts/quota.ts"
import { makeSessions, type Sessions } from "./accounts/sessions.ts"
import { makeSignIn, type SignIn } from "./accounts/sign-in.ts"
import { makePromptCache, type PromptCache } from "./answers/usage.ts"
import { type BackendRules, DEFAULT_RULES } from "./checks/checked-call.ts"
import { type Gates, makeGates } from "./gates.ts"
import { type Ids, makeIds } from "./ids.ts"
import { makeRecorder, type Recorder } from "./recorder.ts"
import { makeScripts, type Scripts } from "./scripts/scripts.ts"
import { makeSockets, type Sockets } from "./socket/sockets.ts"

/** Everything an endpoint may use. */
export type World = {
  readonly clock: Clock
  readonly timers: Timers
  readonly ids: Ids
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly quota: QuotaEngine
  readonly scripts: Scripts
  readonly signIn: SignIn
  readonly gates: Gates
  readonly recorder: Recorder
  readonly promptCache: PromptCache
  readonly sockets: Sockets
  readonly rules: () => BackendRules
  readonly changeRules: (patch: Partial<BackendRules>) => void
  /** Counts up when the catalogue is to look changed. */
  readonly modelsRevision: () => number
  readonly changeModels: () => void
}

/** What a world is made from. */
export type WorldParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly seed: string
  readonly recordLimit: number
  readonly usePercentPerRequest: number
}

/** Makes a world without accounts. */
export function makeWorld(parts: WorldParts): World {
  const ids = makeIds({ seed: parts.seed })
  let rules = DEFAULT_RULES
  let revision = 1
  return {
    clock: parts.clock,
    timers: parts.timers,
    ids,
    accounts: makeAccounts({ ids }),
    sessions: makeSessions({ clock: parts.clock, ids }),
    quota: makeQuotaEngine({ ...parts, ids }),
    scripts: makeScripts(),
    signIn: makeSignIn(),
    gates: makeGates(),
    recorder: makeRecorder({ limit: parts.recordLimit }),
    promptCache: makePromptCache(),
    sockets: makeSockets(),
    rules: () => rules,
    changeRules: patch => {
      rules = { ...rules, ...patch }
    },
    modelsRevision: () => revision,
    changeModels: () => {
      revision += 1
    },
  }
}

/** The world's time in whole seconds since the epoch. */
export function nowSecOf(world: World): number {
  return Math.floor(world.clock() / 1000)
}
