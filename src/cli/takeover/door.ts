/** The running gateway's side of a takeover: who knocks gets the data folder, or this process goes on. */

import type { Timers } from "#core/clock.ts"
import { type GatewayError, toGatewayError } from "#core/errors.ts"
import { inBackground } from "#telemetry/in-background.ts"
import type { Log } from "#telemetry/log.ts"

import { type Line, type LineData, type LineListener, lineHandlers } from "./line.ts"
import { decodeMessage, type HeldPort, type SuccessorMessage, TAKEOVER_PROTOCOL } from "./messages.ts"
import type { Note } from "./notes.ts"
import { makeRemoteRenewals } from "./remote-renewals.ts"
import { bindPrivately, socketPlace, TALK_SOCKET } from "./socket-place.ts"
import type { Tenure } from "./tenure.ts"

/** What the gateway does when it is replaced. */
export type HandOverSteps = {
  /** Ends every exchange of tokens, writes everything and lets the data folder go. Returns why it cannot. */
  readonly rest: () => Promise<string | undefined>
  /** Takes the data folder back from the process with this id, which may still have it. Rejects when that is not possible. */
  readonly wake: (pid: number) => Promise<void>
  readonly ports: () => readonly HeldPort[]
  /** What the successor has to know before it opens its ports. */
  readonly memories: () => Iterable<Note>
}

/** What the door needs. */
export type DoorParts = {
  readonly dataDir: string
  readonly version: string
  readonly timers: Timers
  readonly log: Pick<Log, "info" | "warn" | "error">
  readonly tenure: Tenure
  readonly steps: HandOverSteps
  /** Resolves when this process's own predecessor has ended: before that it has a port, and asks at a socket that the next one takes. */
  readonly ready: () => Promise<void>
}

/** How it ended: another process is the gateway, or nobody here can be. */
export type HandedOver =
  | { readonly type: "replaced"; readonly pid: number }
  | { readonly type: "lost"; readonly error: GatewayError }

/** The open door. */
export type Door = {
  /** Resolves when this process is no longer the gateway; what it serves may run on. */
  readonly left: Promise<HandedOver>
  /** Tells the successor that the ports are closed. */
  readonly sayClosed: () => void
  /** Nobody may knock any more; hangs up on the successor. */
  readonly close: () => void
}

/** A successor that does not serve by then has failed. It may have to read tens of thousands of accounts. */
const LISTENING_WITHIN_MS = 30_000

/** Opens it. */
export function openDoor(parts: DoorParts): Door {
  const place = socketPlace(parts.dataDir, TALK_SOCKET)
  const { promise: left, resolve: leave } = Promise.withResolvers<HandedOver>()
  const state: DoorState = { parts, leave, isBusy: false, successor: undefined, shut: () => {}, isClosed: false }
  const server = bindPrivately(place, unix =>
    Bun.listen<LineData>({ unix, data: { end: undefined }, socket: lineHandlers(line => receive(state, line)) }),
  )
  let isOpen = true
  state.shut = () => {
    if (!isOpen) return
    isOpen = false
    // Connections go on.
    server.stop()
    place.close()
  }
  return {
    left,
    sayClosed: () => state.successor?.send({ type: "closed" }),
    close: () => {
      state.isClosed = true
      state.shut()
      state.successor?.end()
    },
  }
}

type DoorState = {
  readonly parts: DoorParts
  readonly leave: (how: HandedOver) => void
  isBusy: boolean
  successor: Line | undefined
  shut: () => void
  /** This process has nothing more to say. */
  isClosed: boolean
}

/** What a visitor has said so far. */
type Visit = {
  readonly line: Line
  readonly closed: PromiseWithResolvers<"closed">
  readonly listening: PromiseWithResolvers<"listening">
  readonly renewals: ReturnType<typeof makeRemoteRenewals>
}

function receive(state: DoorState, line: Line): LineListener {
  const visit: Visit = {
    line,
    closed: Promise.withResolvers(),
    listening: Promise.withResolvers(),
    renewals: makeRemoteRenewals(line, state.parts.timers),
  }
  return {
    heard: text => {
      const message = decodeMessage<SuccessorMessage>(text)
      if (message.type === "listening") visit.listening.resolve("listening")
      else if (message.type === "hello") {
        inBackground("the takeover", welcome(state, visit, message), (name, cause) =>
          state.parts.log.error({ reason: toGatewayError(cause).message }, `${name} failed`),
        )
      } else visit.renewals.answered(message)
    },
    closed: () => {
      visit.closed.resolve("closed")
      visit.renewals.closed()
      if (state.successor === line) lose(state)
    },
  }
}

type Hello = Extract<SuccessorMessage, { type: "hello" }>

async function welcome(state: DoorState, visit: Visit, hello: Hello): Promise<void> {
  const { line } = visit
  const refuse = (reason: string) => {
    line.send({ type: "refused", reason })
    line.end()
  }
  if (hello.protocol !== TAKEOVER_PROTOCOL || state.isBusy) {
    refuse(state.isBusy ? "another process is taking over already" : "it speaks another version of the takeover")
    return
  }
  state.isBusy = true
  try {
    await state.parts.ready()
    const reason = await handOver(state, visit, hello)
    if (reason !== undefined) refuse(reason)
  } finally {
    state.isBusy = state.successor !== undefined
  }
}

async function handOver(state: DoorState, visit: Visit, { pid, version }: Hello): Promise<string | undefined> {
  const { tenure, steps, log, timers } = state.parts
  log.info({ pid, version }, "another process takes over: the data folder is handed to it")
  tenure.begin()
  const reason = await steps.rest()
  if (reason !== undefined) {
    tenure.resume()
    log.warn({ pid, reason }, "the data folder cannot be handed over now")
    return reason
  }
  visit.line.send({ type: "yours", version: state.parts.version, ports: steps.ports() })
  for (const note of steps.memories()) visit.line.send({ type: "note", note })
  visit.line.send({ type: "told" })
  const late = Promise.withResolvers<"late">()
  const cancelTimer = timers.after(LISTENING_WITHIN_MS, () => late.resolve("late"))
  const how = await Promise.race([visit.listening.promise, visit.closed.promise, late.promise])
  cancelTimer()
  if (how === "listening") {
    leave(state, visit, pid)
    return undefined
  }
  visit.line.send({ type: "no" })
  visit.line.end()
  log.warn({ pid }, how === "late" ? "the other process was too slow" : "the other process has ended before it served")
  await goOn(state, pid)
  return undefined
}

function leave(state: DoorState, { line, renewals }: Visit, pid: number): void {
  const { tenure, log } = state.parts
  state.successor = line
  // The successor opens a door of its own at the same place as soon as it may go.
  state.shut()
  line.send({ type: "go" })
  tenure.leave({ tell: note => line.send({ type: "note", note }), renew: renewals.ask })
  log.info({}, "another process has taken over: running answers may finish here")
  state.leave({ type: "replaced", pid })
}

/** Also at the end of this process, when it hangs up itself. */
function lose({ parts: { tenure, log }, isClosed }: DoorState): void {
  if (isClosed) return
  tenure.lose()
  log.warn({}, "the process that has taken over has ended: the ports are closed, running answers may finish")
}

async function goOn(state: DoorState, pid: number): Promise<void> {
  const { steps, log } = state.parts
  try {
    await steps.wake(pid)
    log.info({}, "the data folder is taken back, and everything goes on as before")
  } catch (cause) {
    const error = toGatewayError(cause)
    log.error({ reason: error.message, hint: error.hint }, "the data folder cannot be taken back: stopping")
    state.shut()
    state.leave({ type: "lost", error })
  }
}
