/** From a call to a turn: decode the dialect, decide on the model, name the conversation. */

import type { Lane } from "#core/outcome.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"
import { conversationKey, conversationSeed } from "#protocols/conversation-seed.ts"
import { clientProtocols } from "#protocols/registry.ts"
import type { AccountScope } from "#scheduler/pick/account-scope.ts"

import type { Settler } from "./settle.ts"
import type { Turn, TurnKind } from "./turn-types.ts"

/** What a turn is prepared from. */
export type PrepareParts = {
  readonly kind: TurnKind
  readonly settler: Settler
  readonly planModel: (request: ModelRequest) => ModelPlan
  /** The accounts the client's key may use; undefined = all. */
  readonly scope: AccountScope | undefined
}

/** Throws `invalid-request` or `model-not-found`; the settler knows the model and the lane as soon as they are known. */
export function prepareTurn(call: ClientCall, { kind, settler, planModel, scope }: PrepareParts): Turn {
  const request = (kind.decode ?? clientProtocols[call.protocol].decodeRequest)(call)
  settler.lane(laneOf(request), request.model)
  const plan = planModel(kind.host === undefined ? request : { ...request, model: kind.host() })
  settler.planned(plan)
  const { keyId } = call.principal
  const conversation = conversationKey(conversationSeed(request, plan.slug), keyId)
  const { sessionGroup } = request
  const group = sessionGroup === undefined ? {} : { group: conversationKey(`group\n${sessionGroup}`, keyId) }
  return { call, request, plan, conversation, ...group, settler, kind, scope }
}

/** The relay lane needs the client to speak the upstream's dialect; there is one upstream dialect so far. */
function laneOf(request: ModelRequest): Lane {
  if (!request.stream) return "collect"
  return request.protocol === "openai-responses" ? "relay" : "transcode"
}
