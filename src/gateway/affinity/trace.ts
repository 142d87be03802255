/** Where the encrypted content of a request came from. */

import type { AccountId } from "#core/ids.ts"
import type { ModelRequest } from "#core/request.ts"
import { opaqueTextsOf } from "#protocols/openai-responses/opaque-items.ts"

import type { Bindings } from "./bindings.ts"

/** What is known about the makers; texts whose maker is not known are in no list. */
export type Trace = {
  /** Makers of reasoning by its encrypted text, oldest first. */
  readonly reasoning: ReadonlyMap<string, AccountId>
  /** Who made the newest compaction: nobody else can read what it stands for. */
  readonly compactedBy?: AccountId
  readonly hasReasoning: boolean
  readonly hasCompaction: boolean
}

const NO_TRACE: Trace = { reasoning: new Map(), hasReasoning: false, hasCompaction: false }

/** Looks up who made what the request brings back. */
export function traceOf(request: ModelRequest, makers: Bindings): Trace {
  const opaque = opaqueTextsOf(request)
  if (opaque.length === 0) return NO_TRACE
  const reasoning = new Map<string, AccountId>()
  let compactedBy: AccountId | undefined
  for (const { text, isCompaction } of opaque) {
    const maker = makers.get(text)
    if (maker === undefined) continue
    if (isCompaction) compactedBy = maker
    else reasoning.set(text, maker)
  }
  return {
    reasoning,
    ...(compactedBy !== undefined && { compactedBy }),
    hasReasoning: opaque.some(({ isCompaction }) => !isCompaction),
    hasCompaction: opaque.some(({ isCompaction }) => isCompaction),
  }
}

/** Returns the reasoning that `account` cannot read because another one made it. */
export function foreignTexts({ reasoning }: Trace, account: AccountId): ReadonlySet<string> {
  const foreign = new Set<string>()
  for (const [text, maker] of reasoning) if (maker !== account) foreign.add(text)
  return foreign
}
