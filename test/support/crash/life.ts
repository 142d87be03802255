/** One life of the gateway, from its start to its kill, as its operator sees it. */

import type { AccountId } from "#core/ids.ts"

import type { LaunchedGateway } from "../binary.ts"
import type { DoubtBooks } from "./doubts.ts"
import { type LogStory, makeLogStory } from "./log-story.ts"
import type { Owners } from "./owners.ts"
import type { CrashWorld } from "./world.ts"

/** A started gateway whose log is read. */
export type Life = {
  readonly gateway: LaunchedGateway
  /** Accounts that the log has called uncertain so far. */
  readonly doubted: () => LogStory["doubts"]
  /** Resolves when every sign-in that the log asked for so far is done; the gateway has to be ready. */
  readonly signedIn: () => Promise<void>
  /** Stops following; call it once the gateway is gone. */
  readonly end: () => Promise<void>
}

/** What a life needs. */
export type LifeParts = {
  readonly world: Pick<CrashWorld, "launch">
  readonly books: DoubtBooks
  readonly owners: Owners
  /** Simulator name of the account of an id. */
  readonly ownerOf: (id: AccountId) => string | undefined
  readonly complain: (text: string) => void
}

const LOOK_EVERY_MS = 20

/** Starts the gateway and follows its log: whoever it asks to sign in does so. */
export function startLife(parts: LifeParts): Life {
  const { world, books, owners, ownerOf, complain } = parts
  const gateway = world.launch()
  const story = makeLogStory()
  const seen = new Set<string>()
  let signingIn: Promise<void> = Promise.resolve()
  let isReady = false
  const look = (): void => {
    story.read(gateway.output())
    for (const [text, doubt] of story.doubts) {
      if (doubt !== "login" || seen.has(text)) continue
      seen.add(text)
      // Written by the gateway, where it was an account's id.
      const id = text as AccountId
      const name = ownerOf(id)
      if (name === undefined) complain(`${id} is asked to sign in, and nobody owns it`)
      else if (books.askedForLogin(id)) signingIn = signingIn.then(() => owners.signIn(id, name))
    }
  }
  const lookAndVisit = (): void => {
    look()
    // Never rejects: what a kill cuts off is done in the next life.
    if (isReady && owners.pending() > 0) void owners.visit()
  }
  const timer = setInterval(lookAndVisit, LOOK_EVERY_MS)
  gateway.ready.then(
    () => {
      isReady = true
      lookAndVisit()
    },
    // Killed during the start.
    () => {},
  )
  return {
    gateway,
    doubted: () => {
      look()
      return story.doubts
    },
    signedIn: async () => {
      look()
      await signingIn
      await owners.visit()
    },
    end: async () => {
      clearInterval(timer)
      look()
      // Their owners do not die with the gateway; at its door they find that it has.
      await signingIn
      await owners.visit()
      for (const id of story.unexplained) complain(`${id} is asked to sign in without a reason`)
    },
  }
}
