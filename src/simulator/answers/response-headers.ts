/** Headers in front of a stream, and which quota family a model counts against. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { QuotaFamily } from "#simulator/accounts/quota.ts"
import { quotaHeaders } from "#simulator/accounts/quota-wire.ts"
import type { UpstreamMode } from "#simulator/checks/checked-call.ts"
import { findModel, modelsEtag, modelsFor } from "#simulator/models.ts"
import { quotaView } from "#simulator/quota-view.ts"
import { clientVersionOf } from "#simulator/versions.ts"
import type { World } from "#simulator/world.ts"

/** What the headers are written for. */
export type HeaderFacts = {
  readonly mode: UpstreamMode
  readonly account: SimulatedAccount
  readonly servedModel: string
  readonly family: QuotaFamily
  readonly requestHeaders: Headers
  readonly statesQuota: boolean
}

/** The family of the model a body asks for. */
export function familyOf(body: JsonObject): QuotaFamily {
  return findModel(stringAt(body, "model") ?? "")?.isSpark === true ? "codex_bengalfox" : "codex"
}

/** Writes the headers of a stream. On the public paths there is no quota state and no turn state. */
export function responseHeaders(world: World, facts: HeaderFacts): Record<string, string> {
  const common = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    server: "sluice-simulator",
    "openai-model": facts.servedModel,
  }
  if (facts.mode === "api-key") return { ...common, "x-request-id": `req_${world.ids.hex(32)}` }
  const version = clientVersionOf(facts.requestHeaders) ?? ""
  return {
    ...common,
    ...(facts.statesQuota && quotaHeaders(quotaView(world, facts.account, facts.family))),
    "x-codex-turn-state": facts.requestHeaders.get("x-codex-turn-state") ?? newTurnState(world, facts.account),
    "x-models-etag": modelsEtag(modelsFor(facts.account, version), world.modelsRevision()),
    "x-reasoning-included": "true",
    "x-oai-request-id": world.ids.uuid(),
  }
}

/** Opaque to clients; names the account inside, so that a test can see when it crosses to another one. */
function newTurnState(world: World, account: SimulatedAccount): string {
  return Buffer.from(`turn/${account.name}/${world.ids.hex(16)}`).toString("base64url")
}
