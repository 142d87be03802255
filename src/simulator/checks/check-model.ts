/** Gates in front of the models: who asks, with which client version, on which plan. */

import { stringAt } from "#core/json.ts"
import { findModel, hasModel, isRetiredModel } from "#simulator/models.ts"
import { detailRefusal, errorRefusal, type Refusal } from "#simulator/refusal.ts"
import { clientVersionOf, isOlderVersion, userAgentProduct } from "#simulator/versions.ts"

import { LITE_HEADER } from "./check-envelope.ts"
import type { Check, CheckedCall } from "./checked-call.ts"

const CODEX_ORIGINATORS = new Set(["codex_cli_rs", "codex-tui", "codex_exec", "codex_vscode"])

/** The checks, in order: identity, version, plan, lane. */
export const modelGates: readonly Check[] = [checkIdentity, checkVersion, checkPlan, checkLite]

/** A gated model does not exist for clients whose two identity headers are not of the Codex family and equal. */
function checkIdentity(call: CheckedCall): Refusal | undefined {
  const slug = stringAt(call.body, "model") ?? ""
  const model = findModel(slug)
  if (model === undefined) return isRetiredModel(slug) ? undefined : modelNotFound(slug)
  return !model.isIdentityGated || isCodexClient(call.headers) ? undefined : modelNotFound(slug)
}

/** A request that states no version passes: only clients that state an old one are told to upgrade. */
function checkVersion(call: CheckedCall): Refusal | undefined {
  const model = findModel(stringAt(call.body, "model") ?? "")
  const version = clientVersionOf(call.headers)
  if (model === undefined || version === undefined || !isCodexVersion(call.headers)) return undefined
  if (!isOlderVersion(version, model.minimalClientVersion)) return undefined
  return detailRefusal(
    `The '${model.slug}' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again.`,
  )
}

function checkPlan(call: CheckedCall): Refusal | undefined {
  const slug = stringAt(call.body, "model") ?? ""
  const model = findModel(slug)
  if (model !== undefined && hasModel(call.account, model)) return undefined
  return detailRefusal(`The '${slug}' model is not supported when using Codex with a ChatGPT account.`)
}

/** The reduced lane is for models that know it, and there it has rules of its own. */
function checkLite(call: CheckedCall): Refusal | undefined {
  if (call.headers.get(LITE_HEADER) !== "true") return undefined
  const model = findModel(stringAt(call.body, "model") ?? "")
  if (model?.isLite !== true) {
    const message = "This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite"
    return errorRefusal({ message, param: "model", code: "unsupported_value" })
  }
  if (call.body["parallel_tool_calls"] !== true) return undefined
  const message = "Parallel tool calls are not supported when using X-OpenAI-Internal-Codex-Responses-Lite"
  return errorRefusal({ message, param: "parallel_tool_calls", code: "unsupported_value" })
}

function modelNotFound(slug: string): Refusal | undefined {
  return errorRefusal({ status: 404, message: `Model not found ${slug}`, param: "model" })
}

function isCodexClient(headers: Headers): boolean {
  const originator = headers.get("originator") ?? ""
  if (!CODEX_ORIGINATORS.has(originator) && !originator.startsWith("Codex ")) return false
  return userAgentProduct(headers)?.name === originator
}

/** A foreign client's own version number says nothing about Codex. */
function isCodexVersion(headers: Headers): boolean {
  return headers.has("version") || isCodexClient(headers)
}
