/** Renews a credential in the one process that may: this one, or the one that has taken over. */

import type { Tenure } from "./tenure.ts"

/** The two ways. Both reject when the account cannot be renewed. */
export type RenewWays = { readonly own: () => Promise<unknown>; readonly theirs: () => Promise<unknown> }

/** Waits while it is not known which process that will be. */
export async function renewThrough(
  tenure: Pick<Tenure, "phase" | "settled" | "beginnings">,
  ways: RenewWays,
): Promise<void> {
  for (;;) {
    await tenure.settled()
    if (tenure.phase() === "theirs") {
      await ways.theirs()
      return
    }
    const beginnings = tenure.beginnings()
    try {
      await ways.own()
      return
    } catch (cause) {
      // Otherwise it may have been dropped because this process began to give everything away in the meantime.
      if (tenure.beginnings() === beginnings) throw cause
    }
  }
}
