/** A sign-in service for tests: the simulator, or an answer made up on the spot. */

import type { SignInService } from "#accounts/sign-in/ask-service.ts"
import { systemClock } from "#core/clock.ts"
import type { UpstreamReply, UpstreamRequest } from "#core/upstream.ts"
import type { Simulator } from "#simulator/simulator.ts"
import { DIRECT_EGRESS } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"

/** The Codex client's public id, the only one the simulator knows. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"

/** The simulator as service. */
export function serviceOf(simulator: Simulator): SignInService {
  const { send } = makeSender({ egress: DIRECT_EGRESS, clock: systemClock })
  return { issuer: simulator.url, clientId: CLIENT_ID, send }
}

/** A service that gives the answers in turn and the last one from then on; it writes down what it was asked. */
export function scriptedService(...answers: readonly (() => Response)[]) {
  const asked: UpstreamRequest[] = []
  const send = async (request: UpstreamRequest): Promise<UpstreamReply> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]
    asked.push(request)
    const response = answer?.() ?? new Response(null, { status: 500 })
    return { status: response.status, headers: response.headers, body: response.body ?? undefined }
  }
  return { service: { issuer: "https://issuer.invalid", clientId: CLIENT_ID, send }, asked }
}

/** A signal that never fires. */
export const NEVER = new AbortController().signal
