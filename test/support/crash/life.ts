/** One life of the gateway, from its start to its kill, as its operator sees it. */

import { join } from "node:path"

import { replaceFile } from "#accounts/atomic-write.ts"
import type { AccountId } from "#core/ids.ts"
import type { AccountFile } from "#simulator/accounts/account-files.ts"

import type { LaunchedGateway } from "../binary.ts"
import type { DoubtBooks } from "./doubts.ts"
import { type LogStory, makeLogStory } from "./log-story.ts"
import type { CrashWorld } from "./world.ts"

/** A started gateway whose log is read. */
export type Life = {
  readonly gateway: LaunchedGateway
  /** Accounts that the log has called uncertain so far. */
  readonly doubted: () => LogStory["doubts"]
  /** Resolves when every sign-in that the log asked for so far is done. */
  readonly signedIn: () => Promise<void>
  /** Stops following; call it once the gateway is gone. */
  readonly end: () => Promise<void>
}

/** What a life needs. */
export type LifeParts = {
  readonly world: CrashWorld
  readonly books: DoubtBooks
  /** Simulator name by account id. */
  readonly names: () => ReadonlyMap<AccountId, string>
  readonly complain: (text: string) => void
}

const LOOK_EVERY_MS = 20

/** Signs an account in again when the log asks for it, as its owner does who puts a new file in the place of the old one. */
async function signIn({ world, names }: LifeParts, id: AccountId): Promise<void> {
  // The control handle's function of this name gives it.
  const name = names().get(id) ?? id
  const file = (await world.simulator.control("sign-in-again", { name })) as AccountFile
  await replaceFile(join(world.authDir, `simulated-${name}.json`), JSON.stringify(file))
}

/** Starts the gateway and follows its log: whoever it asks to sign in does so. */
export function startLife(parts: LifeParts): Life {
  const { world, books, complain } = parts
  const gateway = world.launch()
  const story = makeLogStory()
  const seen = new Set<string>()
  let signingIn: Promise<void> = Promise.resolve()
  const look = (): void => {
    story.read(gateway.output())
    for (const [text, doubt] of story.doubts) {
      if (doubt !== "login" || seen.has(text)) continue
      seen.add(text)
      // Written by the gateway, where it was an account's id.
      const id = text as AccountId
      if (books.askedForLogin(id)) signingIn = signingIn.then(() => signIn(parts, id))
    }
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  return {
    gateway,
    doubted: () => {
      look()
      return story.doubts
    },
    signedIn: () => {
      look()
      return signingIn
    },
    end: async () => {
      clearInterval(timer)
      look()
      // Their owners do not die with the gateway.
      await signingIn
      for (const id of story.unexplained) complain(`${id} is asked to sign in without a reason`)
    },
  }
}
