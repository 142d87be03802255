/** The new process's side of a takeover: asks the running gateway for its data folder and follows what that still learns. */

import type { Account } from "#core/account.ts"
import type { Timers } from "#core/clock.ts"
import { GatewayError, toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { type Line, type LineData, lineHandlers } from "./line.ts"
import { decodeMessage, type HeldPort, type PredecessorMessage, TAKEOVER_PROTOCOL } from "./messages.ts"
import type { Note } from "./notes.ts"
import { socketPlace, TALK_SOCKET } from "./socket-place.ts"

/** The gateway that is being replaced. Its data folder is free once this exists. */
export type Predecessor = {
  /** True while it listens there. */
  readonly isListening: (address: HeldPort) => boolean
  /** Resolves when it has told all that is needed before the ports open. */
  readonly told: Promise<void>
  /** Calls `take` with everything it has told and will tell. */
  readonly follow: (take: (note: Note) => void) => void
  readonly onRenew: (renew: (account: AccountId, refusedToken: string | undefined) => Promise<Account>) => void
  /** Says that this process serves. Resolves when it is the gateway. */
  readonly listening: () => Promise<void>
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
}

/** What meeting needs. */
export type MeetParts = {
  readonly dataDir: string
  readonly version: string
  readonly timers: Timers
  /** It has taken the folder back: this process must let it go at once. */
  readonly dismissed: () => void
}

/** Waiting for exchanges of tokens may take this long, and some more. */
const YOURS_WITHIN_MS = 45_000
/** One that has died is not gone in one moment: its connections are closed before its lock is free. */
const GONE_AFTER_MS = 250
/** One that has said `yours` and is silent now hangs; the folder is this process's in either case. */
const GO_WITHIN_MS = 10_000

type Talk = {
  /** Undefined: it has ended before it said so. */
  readonly yours: PromiseWithResolvers<Extract<PredecessorMessage, { type: "yours" }> | undefined>
  readonly told: PromiseWithResolvers<void>
  readonly go: PromiseWithResolvers<void>
  readonly closed: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<void>
  notes: Note[]
  take: ((note: Note) => void) | undefined
  renew: Parameters<Predecessor["onRenew"]>[0]
}

/** Returns the predecessor once it has let the folder go, or undefined when nobody is there. Rejects with why it does not. */
export async function meetPredecessor(parts: MeetParts): Promise<Predecessor | undefined> {
  const talk = makeTalk()
  const place = socketPlace(parts.dataDir, TALK_SOCKET)
  try {
    const socket = await connect(place.path, talk, parts)
    if (socket === undefined) return undefined
    const cancelTimer = parts.timers.after(YOURS_WITHIN_MS, () => talk.yours.reject(tooSlow()))
    const yours = await talk.yours.promise.finally(cancelTimer)
    if (yours !== undefined) return predecessorOf(talk, { line: socket, ports: yours.ports, timers: parts.timers })
    await new Promise<void>(resolve => void parts.timers.after(GONE_AFTER_MS, resolve))
    return undefined
  } finally {
    place.close()
  }
}

function makeTalk(): Talk {
  const talk: Talk = {
    yours: Promise.withResolvers(),
    told: Promise.withResolvers(),
    go: Promise.withResolvers(),
    closed: Promise.withResolvers(),
    ended: Promise.withResolvers(),
    notes: [],
    take: undefined,
    renew: async () => {
      throw new GatewayError("no-account", "The gateway is starting.")
    },
  }
  // Told when it is waited for.
  talk.yours.promise.catch(() => undefined)
  return talk
}

/** Undefined: no socket, or one that a killed process has left. */
async function connect(unix: string, talk: Talk, parts: MeetParts): Promise<Line | undefined> {
  let line: Line | undefined
  const handlers = lineHandlers(opened => {
    line = opened
    return {
      heard: text => hear(talk, opened, decodeMessage<PredecessorMessage>(text), parts),
      closed: () => hungUp(talk),
    }
  })
  try {
    await Bun.connect<LineData>({ unix, data: { end: undefined }, socket: handlers })
  } catch {
    // Nobody answers; the lock of the folder tells whether somebody has it all the same.
    return undefined
  }
  line?.send({ type: "hello", protocol: TAKEOVER_PROTOCOL, version: parts.version, pid: process.pid })
  return line
}

function hear(talk: Talk, line: Line, message: PredecessorMessage, parts: MeetParts): void {
  switch (message.type) {
    case "refused":
      talk.yours.reject(refused(message.reason))
      return
    case "yours":
      talk.yours.resolve(message)
      return
    case "note":
      if (talk.take === undefined) talk.notes.push(message.note)
      else talk.take(message.note)
      return
    case "told":
      talk.told.resolve()
      return
    case "go":
      talk.go.resolve()
      return
    case "no":
      parts.dismissed()
      return
    case "closed":
      talk.closed.resolve()
      return
    case "renew":
      void answerRenewal(talk, line, message)
      return
  }
}

/** Never rejects: the failure is the answer. */
async function answerRenewal(
  talk: Talk,
  line: Line,
  { id, account, refusedToken }: Extract<PredecessorMessage, { type: "renew" }>,
): Promise<void> {
  try {
    line.send({ type: "renewed", id, account: withoutRefreshToken(await talk.renew(account, refusedToken)) })
  } catch (cause) {
    // The other process throws it to whoever has asked.
    line.send({ type: "not-renewed", id, error: toGatewayError(cause) })
  }
}

/** The other process must not renew anything, so it gets nothing to renew with. */
function withoutRefreshToken(account: Account): Account {
  if (account.credential.type !== "chatgpt") return account
  const { refreshToken: _, ...credential } = account.credential
  return { ...account, credential }
}

function hungUp(talk: Talk): void {
  // Nobody is there by now, or whoever is has the lock, and the start is refused by name.
  talk.yours.resolve(undefined)
  for (const step of [talk.told, talk.go, talk.closed, talk.ended]) step.resolve()
}

type Met = { readonly line: Line; readonly ports: readonly HeldPort[]; readonly timers: Timers }

function predecessorOf(talk: Talk, { line, ports, timers }: Met): Predecessor {
  let isListening = true
  talk.closed.promise.then(
    () => {
      isListening = false
    },
    () => undefined,
  )
  return {
    isListening: ({ port }) => isListening && ports.some(held => held.port === port),
    told: talk.told.promise,
    follow: take => {
      talk.take = take
      for (const note of talk.notes) take(note)
      talk.notes = []
    },
    onRenew: renew => {
      talk.renew = renew
    },
    listening: async () => {
      const cancelTimer = timers.after(GO_WITHIN_MS, talk.go.resolve)
      line.send({ type: "listening" })
      await talk.go.promise
      cancelTimer()
    },
    ended: talk.ended.promise,
  }
}

function refused(reason: string): GatewayError {
  return new GatewayError("internal", `The running gateway does not hand over: ${reason}.`, {
    hint: "It goes on as before. Try again, or stop it and start this one without --takeover.",
  })
}

function tooSlow(): GatewayError {
  return refused("it did not answer in time")
}
