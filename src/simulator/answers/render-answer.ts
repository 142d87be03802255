/** From a checked request to the events of its answer. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import { transformEvents } from "#simulator/delivery/event-transforms.ts"
import { findModel } from "#simulator/models.ts"
import { quotaEvent } from "#simulator/quota-view.ts"
import type { Settings } from "#simulator/scripts/settings.ts"
import { pickSequence } from "#simulator/sequences/registry.ts"
import { nowSecOf, type World } from "#simulator/world.ts"

import { makeAnswer } from "./answer.ts"
import { offeredTools } from "./offered-tools.ts"
import { readPrompt } from "./prompt.ts"
import { familyOf } from "./response-headers.ts"

/** Most input tokens of a model the catalogue does not know (public paths take any name). */
const UNKNOWN_MODEL_TOKENS = 1_000_000

/** What an answer is rendered from. */
export type RenderRequest = {
  readonly body: JsonObject
  readonly account: SimulatedAccount
  readonly settings: Settings
}

/** Runs the generator the settings name and applies the quirks they ask for. */
export function renderAnswer(world: World, request: RenderRequest): readonly JsonObject[] {
  const { body, account, settings } = request
  const model = stringAt(body, "model") ?? ""
  const answer = makeAnswer({
    body,
    prompt: readPrompt(body),
    tools: offeredTools(body),
    account,
    model: servedModel(body, settings),
    settings,
    ids: world.ids,
    nowSec: nowSecOf(world),
    input: world.promptCache.count(account.name, body),
    maxContextTokens: findModel(model)?.maxContextTokens ?? UNKNOWN_MODEL_TOKENS,
    quotaEvent: quotaEvent(world, account, familyOf(body)),
  })
  const { input, maxContextTokens, prompt } = answer.context
  const write = pickSequence({
    name: settings.sequence,
    hasToolOutputs: prompt.toolOutputs.length > 0,
    isOverlong: input.totalTokens > maxContextTokens,
  })
  write(answer)
  return transformEvents(answer.events(), answer.context)
}

/** The slug that stands in headers and in the response object. */
export function servedModel(body: JsonObject, settings: Settings): string {
  return settings.servedModel === "" ? (stringAt(body, "model") ?? "") : settings.servedModel
}
