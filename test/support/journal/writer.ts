/** A process that records 2,000 requests a second until it is killed. Arguments: the path of the log, the first number. */

import { systemClock, systemTimers } from "#core/clock.ts"
import { makeJournal } from "#gateway/journal/journal.ts"
import { openLogStore } from "#store/log/log-store.ts"

import { outcomeOf } from "./outcomes.ts"

const [path = "", first = "0"] = process.argv.slice(2)
const journal = makeJournal({
  clock: systemClock,
  timers: systemTimers,
  open: nowMs => openLogStore(path, nowMs),
  warn: (fields, message) => console.log(`warning ${message} ${JSON.stringify(fields)}`),
  isOn: () => true,
  keepDays: () => ({ requests: 30, details: 7, events: 90 }),
})
journal.start()
let number = Number(first)
setInterval(() => {
  // What is no longer queued has been committed: this is what a kill may not take.
  console.log(`stored ${number - journal.status().queued}`)
  for (let count = 0; count < 20; count += 1) {
    journal.record(outcomeOf(number, systemClock()))
    number += 1
  }
}, 10)
