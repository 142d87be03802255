/** Finds out with which key and model a client shall use the gateway, and asks the gateway whether they are right. */

import { type AskedGateway, askGateway } from "#cli/clients/ask-gateway.ts"
import type { Client, ClientPlace, GatewayWish } from "#cli/clients/client.ts"
import { GatewayError } from "#core/errors.ts"
import { nearestNames } from "#gateway/models/nearest-names.ts"
import { isLoopbackName } from "#http/admission.ts"

/** What the command line and the configuration say. */
export type WishFacts = {
  readonly client: Client
  readonly place: ClientPlace
  readonly origin: string
  readonly givenKey: string | undefined
  readonly configuredKeys: readonly string[]
  readonly givenModel: string | undefined
  /** Nothing that the gateway says stands in the way. */
  readonly force: boolean
  readonly signal: AbortSignal
}

/** Clients insist on some text; a gateway without `api-keys` looks at none. */
const NO_KEY = "no-key-needed"

/** Claude Code's window is that of the model its largest name leads to. */
const USUAL_NAME = "claude-opus-5-5"

/** The wish, and what should be said about it. Rejects when the gateway knows better. */
export async function makeWish(
  facts: WishFacts,
): Promise<{ readonly wish: GatewayWish; readonly notes: readonly string[] }> {
  const { client, place, origin, givenModel, force } = facts
  const key = keyOf(facts)
  const model = givenModel ?? (await client.setup?.model?.(place)) ?? client.setup?.defaultModel
  const { protocol, hostname } = new URL(origin)
  const isOpen = protocol === "http:" && !isLoopbackName(hostname)
  const notes = isOpen ? [`${origin} is not encrypted; others on the way may read the key and what is sent`] : []
  const gateway = askGateway(origin, facts.signal)
  const greeting = await gateway.greet()
  if (greeting.type === "silent") {
    const note = `The gateway at ${origin} was not asked: ${greeting.reason}. Once it runs: sluice doctor --client ${client.name}`
    return { wish: { origin, key, model, windowTokens: undefined }, notes: [...notes, note] }
  }
  if (greeting.type === "other" && !force) {
    throw new GatewayError("invalid-request", `What answers at ${origin} is not Sluice: ${greeting.reason}.`, {
      hint: "Nothing was changed. Name the gateway's address with --gateway URL.",
    })
  }
  const served = force ? model : await servedModel(gateway, { key, model, isChoice: givenModel !== undefined })
  const windowTokens = await gateway.windowOf(served ?? USUAL_NAME, key)
  return { wish: { origin, key, model: served, windowTokens }, notes }
}

function keyOf({ givenKey, configuredKeys, origin }: WishFacts): string {
  const key = givenKey ?? configuredKeys[0]
  if (key !== undefined && !/^[!-~]+$/.test(key)) {
    throw new GatewayError("invalid-request", "--key: expected a key without blanks.", {
      hint: "One of the gateway's api-keys.",
    })
  }
  if (key !== undefined) return key
  if (isLoopbackName(new URL(origin).hostname)) return NO_KEY
  throw new GatewayError("invalid-request", `No key is known for ${origin}.`, {
    hint: "Give one of that gateway's api-keys: --key KEY, or --key - with a pipe.",
  })
}

type ModelWish = { readonly key: string; readonly model: string | undefined; readonly isChoice: boolean }

/** The wished model, or for one nobody chose the first that is listed. */
async function servedModel(gateway: AskedGateway, { key, model, isChoice }: ModelWish): Promise<string | undefined> {
  const answer = await gateway.tryKey(key, "authorization")
  if (answer.type === "refused") {
    throw new GatewayError("invalid-request", `The gateway at ${gateway.origin} does not take this key.`, {
      hint: "Nothing was changed. Give one of its api-keys with --key KEY, or --key - with a pipe.",
    })
  }
  if (model === undefined || answer.type === "failed" || (await gateway.serves(model, key))) return model
  const [first] = answer.models
  if (!isChoice && first !== undefined) return first
  const near = nearestNames(model, answer.models)
  throw new GatewayError("invalid-request", `The gateway does not serve the model ${model}.`, {
    hint: `Nothing was changed. ${near.length === 0 ? "GET /v1/models lists what it serves." : `Near to it: ${near.join(", ")}.`}`,
  })
}
