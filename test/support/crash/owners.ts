/** The people who own the accounts of a crash run: they sign in again when they are asked to, each in the way their account came in. */

import { replaceFile } from "#accounts/atomic-write.ts"
import type { AccountId } from "#core/ids.ts"
import { isJsonObject, type JsonObject, numberAt, objectAt } from "#core/json.ts"
import type { AccountFile } from "#simulator/accounts/account-files.ts"

import { bareIdOf } from "./audit.ts"
import { accountPath, kindOf } from "./population.ts"
import type { CrashWorld } from "./world.ts"

/** Something to be done at a running gateway; it is tried until the gateway has answered. */
type Errand = {
  /** Where a list of accounts is sent. */
  readonly address: string
  readonly list: string
  /** An account of an unknown owner whose token is gone: only whoever pasted it can say that the new one takes its place. */
  readonly removes: AccountId | undefined
}

/** The owners of one run. */
export type Owners = {
  /** Signs an account in again that goes by `id`; done at once for one in a file, else at the next visits. */
  readonly signIn: (id: AccountId, name: string) => Promise<void>
  /** Signs in once more without having been asked to, and pastes nothing but the refresh token. */
  readonly paste: (name: string) => Promise<void>
  /** Does what there is to do at the running gateway; what a kill cuts off stays to be done. */
  readonly visit: () => Promise<void>
  readonly pending: () => number
  /** Names of accounts for which a bare token was handed over. */
  readonly pastedFor: ReadonlySet<string>
  /** Accounts that were deleted because a new sign-in took their place. */
  readonly removed: ReadonlySet<AccountId>
}

/** What they need. */
export type OwnersParts = {
  readonly world: Pick<CrashWorld, "authDir" | "simulator" | "url" | "pasted">
  readonly complain: (text: string) => void
}

const ADMIN = "/api/admin/accounts"

/** Makes them, with nothing to do. */
export function makeOwners({ world, complain }: OwnersParts): Owners {
  const errands: Errand[] = []
  const pastedFor = new Set<string>()
  const removed = new Set<AccountId>()
  let visiting: Promise<void> | undefined

  // The control handle's function of this name gives it.
  const signInAgain = async (name: string) => (await world.simulator.control("sign-in-again", { name })) as AccountFile
  const handOverBare = (name: string, { refresh_token: token }: AccountFile, removes: AccountId | undefined): void => {
    world.pasted.set(bareIdOf(token), name)
    pastedFor.add(name)
    errands.push({ address: `${ADMIN}/import?format=refresh-tokens`, list: token, removes })
  }
  /** Undefined: the gateway was killed meanwhile. */
  const send = async (address: string, init: RequestInit): Promise<JsonObject | number | undefined> => {
    try {
      const response = await fetch(`${world.url}${address}`, init)
      const answer: unknown = await response.json()
      return response.ok && isJsonObject(answer) ? answer : response.status
    } catch {
      return undefined
    }
  }
  const isImported = async ({ address, list }: Errand): Promise<boolean> => {
    const answer = await send(address, { method: "POST", body: list })
    if (answer === undefined) return false
    const counts = typeof answer === "number" ? undefined : objectAt(answer, "counts")
    const refused = counts === undefined ? undefined : numberAt(counts, "refused")
    if (refused !== 0) complain(`a sign-in was not taken: ${JSON.stringify(answer)}`)
    return true
  }
  const isRemoved = async (id: AccountId): Promise<boolean> => {
    const answer = await send(`${ADMIN}/${id}?confirm=true`, { method: "DELETE" })
    if (answer === undefined) return false
    // Not there: an earlier order was carried out and its answer cut off.
    if (typeof answer === "number" && answer !== 404) complain(`${id} could not be removed: ${answer}`)
    return true
  }
  const doErrands = async (): Promise<void> => {
    for (let errand = errands[0]; errand !== undefined; errand = errands[0]) {
      if (!(await isImported(errand))) return
      if (errand.removes !== undefined) {
        removed.add(errand.removes)
        if (!(await isRemoved(errand.removes))) return
      }
      errands.shift()
    }
  }
  return {
    signIn: async (id, name) => {
      const file = await signInAgain(name)
      const kind = kindOf(name)
      if (kind === "file") await replaceFile(accountPath(world.authDir, name), JSON.stringify(file))
      else if (kind === "bare") handOverBare(name, file, world.pasted.has(id) ? id : undefined)
      else {
        const address = `${ADMIN}/import?origin=sign-in`
        errands.push({ address, list: JSON.stringify(file), removes: undefined })
      }
    },
    paste: async name => handOverBare(name, await signInAgain(name), undefined),
    visit: () => {
      visiting ??= doErrands().finally(() => {
        visiting = undefined
      })
      return visiting
    },
    pending: () => errands.length,
    pastedFor,
    removed,
  }
}
