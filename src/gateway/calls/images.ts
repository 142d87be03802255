/** Pictures: a turn of a text model that must draw, one for each picture that was asked for. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId, RequestId } from "#core/ids.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { TurnKind } from "#gateway/turn/turn-types.ts"
import { pictureCountOf } from "#protocols/openai-images/decode-request.ts"
import { joinImageAnswers } from "#protocols/openai-images/fold.ts"

/** Turns of one request that run at once. A picture takes a minute, and an account draws few at a time. */
const MAX_AT_ONCE = 4
/** More are refused by the dialect. */
const MAX_PICTURES = 10

/** What drawing needs besides the turn. */
export type ImageParts = {
  /** Name of the text model that runs the turn. Throws `model-not-found` when no model can draw. */
  readonly hostModel: () => string
  /** Accounts whose plan does not draw, and how many there are in all. */
  readonly withoutImages: () => { readonly accounts: ReadonlySet<AccountId>; readonly total: number }
}

/** Serves one turn of a call, and settles it. */
type ServeOne = (call: ClientCall, kind: TurnKind) => Promise<GatewayAnswer>

/** Serves `POST /v1/images/generations` and `/v1/images/edits`. */
export function makeImages(
  encode: TurnKind["encode"],
  images: ImageParts,
  serve: ServeOne,
): (call: ClientCall) => Promise<GatewayAnswer> {
  return async call => {
    const { accounts, total } = images.withoutImages()
    const barred = () => {
      if (total === 0 || accounts.size < total) return accounts
      throw new GatewayError("no-account", "No account's plan draws pictures.", {
        code: "image_plan_required",
        hint: "Pictures need an account with a paid plan: `sluice accounts list` shows the plans.",
      })
    }
    const kind: TurnKind = { endpoint: "turn", encode, host: images.hostModel, barred }
    const count = pictureCountOf(call.json)
    // A count the dialect refuses goes to it as it is.
    const calls = count > 1 && count <= MAX_PICTURES && call.json["stream"] !== true ? split(call, count) : [call]
    const [only] = calls
    if (only !== undefined && calls.length === 1) return serve(only, kind)
    return joined(await settledAll(calls, one => serve(one, kind)))
  }
}

/** Every turn has an id of its own: each is logged and counted by itself. */
function split(call: ClientCall, count: number): readonly ClientCall[] {
  // Derived from a request's id and handed out nowhere else.
  return Array.from({ length: count }, (_, index) => ({ ...call, id: `${call.id}.${index + 1}` as RequestId }))
}

async function settledAll(
  calls: readonly ClientCall[],
  serve: (call: ClientCall) => Promise<GatewayAnswer>,
): Promise<readonly PromiseSettledResult<GatewayAnswer>[]> {
  const results: PromiseSettledResult<GatewayAnswer>[] = []
  const waiting = calls.entries()
  const work = async () => {
    for (const [index, call] of waiting) {
      const [result] = await Promise.allSettled([serve(call)])
      results[index] = result
    }
  }
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, work))
  return results
}

/** Pictures that were drawn are paid for: they are handed out although others failed. */
function joined(results: readonly PromiseSettledResult<GatewayAnswer>[]): GatewayAnswer {
  const drawn = results.flatMap(result => (result.status === "fulfilled" ? [result.value] : []))
  const [first] = drawn
  if (first !== undefined) {
    return { ...first, body: joinImageAnswers(drawn.map(({ body }) => (typeof body === "string" ? body : ""))) }
  }
  throw results.find(result => result.status === "rejected")?.reason
}
