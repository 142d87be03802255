/** Decides which account a request belongs to, and how much it is worth to get that one. */

import type { AccountId } from "#core/ids.ts"

import type { Affinity } from "./affinity.ts"
import type { Trace } from "./trace.ts"

/**
 * `hint`: a good place to start, not waited for. `soft`: a warm cache, worth a moment. `hard`: reasoning or a turn state
 * that only this account understands, worth a wait. `fixed`: no other account will do.
 */
export type Hold = "hint" | "soft" | "hard" | "fixed"

/** Where a request belongs. `owns` says that it made what the conversation is: once it serves, the conversation is bound to it. */
export type Home = { readonly account: AccountId; readonly hold: Hold; readonly owns: boolean }

/** What a request says about itself. */
export type HomeClues = {
  readonly conversation: string
  readonly group?: string | undefined
  /** The client's `x-codex-turn-state`. */
  readonly turnState: string | null
  readonly trace: Trace
}

/** Returns undefined for a request that may go anywhere. */
export function homeOf(clues: HomeClues, affinity: Affinity): Home | undefined {
  const { trace, conversation, group, turnState } = clues
  const bound = affinity.conversations.get(conversation)
  if (trace.compactedBy !== undefined) return { account: trace.compactedBy, hold: "fixed", owns: true }
  // Good for one turn, which another account may have helped out with: the conversation stays where it is.
  const issuer = turnState === null ? undefined : affinity.turnStates.get(turnState)
  if (issuer !== undefined) return { account: issuer, hold: "hard", owns: false }
  const thinker = thinkerOf(trace, bound)
  if (thinker !== undefined) return { account: thinker, hold: "hard", owns: true }
  if (bound !== undefined) return { account: bound, hold: "soft", owns: false }
  const neighbour = group === undefined ? undefined : affinity.conversations.get(group)
  return neighbour === undefined ? undefined : { account: neighbour, hold: "hint", owns: false }
}

/**
 * After a move a conversation carries reasoning of several accounts. The bound one goes first if it made any of it, so that
 * a turn that was helped out with does not pull the conversation away; else who thought last.
 */
function thinkerOf({ reasoning }: Trace, bound: AccountId | undefined): AccountId | undefined {
  let last: AccountId | undefined
  for (const maker of reasoning.values()) {
    if (maker === bound) return bound
    last = maker
  }
  return last
}
