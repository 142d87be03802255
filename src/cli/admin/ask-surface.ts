/** The ways to ask the operators' surface: for one answer, and for an order that tells its steps. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject, stringAt } from "#core/json.ts"

import type { AdminConnection, AdminRequest } from "./admin-connection.ts"
import { readJson, readSteps } from "./read-answer.ts"

/** One account's refresh may take half a minute, and its turn may have to come first. */
export const WORK = { silenceMs: 120_000 }
/** Slowest way a large import may take before it counts as silence. */
const BYTES_PER_MS = 50

/** Every answer has one member by which it is known. */
function expectMember(answer: unknown, member: string, where: string): void {
  const isKnown = isJsonObject(answer) && (arrayAt(answer, member) ?? stringAt(answer, member)) !== undefined
  if (isKnown) return
  throw new GatewayError("upstream-protocol", `${where} answered something this version does not know.`, {
    hint: "Use the same version of Sluice here and there.",
  })
}

/** Returns the two ways to ask the surface: for one answer, and for an order that tells its steps. */
export function makeAsking({ where, send }: AdminConnection, signal: AbortSignal) {
  /** `Answer` is what the route of this version returns; `open` warns of another version, and `member` is looked for. */
  async function ask<Answer>(request: AdminRequest, member: string, patience = WORK): Promise<Answer> {
    const answer = await orCancelled(async () => readJson(await send(request, signal, patience), where))
    expectMember(answer, member, where)
    return answer as Answer
  }

  async function follow<Answer, Step>(
    { path, body, headers }: Pick<AdminRequest, "path" | "body" | "headers">,
    member: string,
    onStep: (step: Step) => void,
  ): Promise<Answer> {
    const silenceMs = WORK.silenceMs + (body?.length ?? 0) / BYTES_PER_MS
    const request: AdminRequest = {
      method: "POST",
      path,
      headers: { ...headers, accept: "text/event-stream" },
      ...(body !== undefined && { body }),
    }
    const answer = await orCancelled(async () => {
      // Same routes, same version: see `ask`.
      return readSteps(await send(request, signal, { silenceMs }), where, step => onStep(step as Step))
    })
    expectMember(answer, member, where)
    return answer as Answer
  }

  /** What the surface says about an order that was called off is not its failure. */
  async function orCancelled<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (signal.aborted) throw new GatewayError("cancelled", "Cancelled.", { cause })
      throw cause
    }
  }

  return { ask, follow, orCancelled }
}
