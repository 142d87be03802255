/** Takes over what the predecessor still learns while it finishes its answers. */

import type { Bricks } from "#cli/compose/lay-bricks.ts"
import { systemClock } from "#core/clock.ts"
import { makeCarriedBills } from "#gateway/keys/carried-bills.ts"

import type { Predecessor } from "./meet-predecessor.ts"
import type { Note } from "./notes.ts"

/** Follows it from now on, and answers its questions. Everything durable must have been restored. */
export function takeNotes(predecessor: Predecessor, bricks: Bricks): void {
  const { keys, accounts, reportFailure } = bricks
  const bills = makeCarriedBills({ clock: systemClock, ring: keys.ring, changed: keys.keeper.changed })
  predecessor.follow(note => {
    try {
      if (note.type === "bill") bills.take(note.bill)
      else take(note, bricks)
    } catch (cause) {
      reportFailure("taking over what the process before has learned", cause)
    }
  })
  predecessor.onRenew(async (id, refusedToken) => {
    await bricks.built.pool.refreshNow(id, refusedToken)
    const account = accounts.get(id)
    if (account === undefined) throw new Error("the account was removed")
    return account
  })
  // Never rejects.
  void predecessor.ended.then(() => {
    bills.end()
    bricks.memory.endAdoption()
  })
}

function take(note: Exclude<Note, { type: "bill" }>, bricks: Bricks): void {
  const { built, journal, counters, cookies, memory } = bricks
  switch (note.type) {
    case "outcome":
      counters.recordOutcome(note.outcome)
      journal.record(note.outcome)
      return
    case "bindings":
      takeBindings(note, bricks)
      return
    case "quota":
      built.pool.observeQuota(note.account, note.snapshot, note.askedAtMs)
      return
    case "report":
      built.scheduler.report(note.account, note.report)
      return
    case "cookies":
      cookies.take(note.account, note.url, note.setCookies)
      return
    case "response":
      memory.adopt(note.response)
      return
  }
}

/** They are not new to the memory that writes what is new. */
function takeBindings({ kind, rows }: Extract<Note, { type: "bindings" }>, { affinity, store }: Bricks): void {
  const memory = Object.entries(affinity).find(([name]) => name === kind)?.[1]
  if (memory === undefined) return
  memory.restore(rows)
  store.saveBindings(kind, rows)
}
