/** The clients of the soak, in a process of their own: short streams without end, some of which are left in the middle. */

import { openConnection } from "./load-connection.ts"
import type { WireRequest } from "./load-plan.ts"

/** What the process is told to do. */
export type SoakPlan = {
  readonly port: number
  readonly connections: number
  readonly streams: number
  /** Answers in one write. */
  readonly whole: readonly WireRequest[]
  /** Answers whose events come one by one. */
  readonly paced: readonly WireRequest[]
}

/** What has happened so far. */
export type SoakCounts = {
  readonly done: number
  readonly whole: number
  /** Answers that broke off, because the upstream's failure came behind output. */
  readonly cut: number
  readonly left: number
  /** By status, and `lost` for connections that broke. */
  readonly refused: Readonly<Record<string, number>>
  readonly firstRefusal: string
  readonly isOver: boolean
}

const BROKEN_OFF = "the connection was closed within an answer: HTTP/1.1 200"

/** One stream in twenty is left behind its first event; four more of these come event by event. */
const LEAVE_EVERY = 20
const PACED_EVERY = 5

const refused: Record<string, number> = {}
let firstRefusal = ""
let started = 0
let done = 0
let whole = 0
let cut = 0
let left = 0
let names = 0
const nextName = () => names++

function note(failure: string | undefined): void {
  done += 1
  if (failure === undefined) whole += 1
  else if (failure.startsWith(BROKEN_OFF)) cut += 1
  else {
    const status = /^HTTP\/1\.1 (\d+)/.exec(failure)?.[1] ?? "lost"
    refused[status] = (refused[status] ?? 0) + 1
    if (firstRefusal === "") firstRefusal = failure
  }
}

type Next = { readonly request: WireRequest; readonly isLeft: boolean }

function nextOf(plan: SoakPlan): Next | undefined {
  if (started >= plan.streams) return undefined
  started += 1
  const isLeft = started % LEAVE_EVERY === 0
  const requests = isLeft || started % PACED_EVERY === 1 ? plan.paced : plan.whole
  const request = requests[Math.floor(started / LEAVE_EVERY) % requests.length]
  return request === undefined ? undefined : { request, isLeft }
}

/** One client after the other on one connection, and on the next one when it has been left or lost. */
function keepGoing(plan: SoakPlan): void {
  let next = nextOf(plan)
  if (next === undefined) return
  let hasEvent = false
  const ears = {
    firstEvent: () => {
      hasEvent = true
    },
    event: () => undefined,
    bytes: () => undefined,
    leaves: () => {
      if (!(hasEvent && next?.isLeft)) return false
      done += 1
      left += 1
      keepGoing(plan)
      return true
    },
    answered: (failure: string | undefined) => {
      note(failure)
      hasEvent = false
      next = nextOf(plan)
      return next?.request
    },
    lost: (failure: string) => {
      note(failure)
      keepGoing(plan)
    },
  }
  openConnection(plan.port, next.request, { ears, nextName }).catch((cause: unknown) => ears.lost(String(cause)))
}

let streams = 0

process.on("message", (plan: Partial<SoakPlan>) => {
  // An empty order only asks how far it is.
  if (plan.streams !== undefined) {
    streams = plan.streams
    // Written by soak.bench.ts.
    const whole = plan as SoakPlan
    for (let index = 0; index < whole.connections; index++) keepGoing(whole)
  }
  const result: SoakCounts = { done, whole, cut, left, refused, firstRefusal, isOver: done >= streams }
  process.send?.({ result })
})
process.on("disconnect", () => process.exit(0))
