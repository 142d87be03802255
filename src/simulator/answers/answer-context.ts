/** What a stream generator may look at. */

import type { JsonObject } from "#core/json.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { Ids } from "#simulator/ids.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

import type { OfferedTools } from "./offered-tools.ts"
import type { Prompt } from "./prompt.ts"
import type { InputTokens } from "./usage.ts"

/** One checked request and everything around it that shapes the answer. */
export type AnswerContext = {
  readonly body: JsonObject
  readonly prompt: Prompt
  readonly tools: OfferedTools
  readonly account: SimulatedAccount
  /** Slug that serves; stands in the response object. */
  readonly model: string
  readonly settings: Settings
  readonly ids: Ids
  readonly nowSec: number
  readonly input: InputTokens
  /** Most input tokens the model takes. */
  readonly maxContextTokens: number
  /** The `codex.rate_limits` event of this moment. */
  readonly quotaEvent: JsonObject
}
