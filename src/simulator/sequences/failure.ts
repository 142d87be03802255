/** Failures inside a 200: with nothing before them, or after some output. */

import type { Answer, StreamFailure } from "#simulator/answers/answer.ts"

import { scriptedText, writeMessage } from "./text.ts"

/** Texts of the codes clients act on; the rest say that they are simulated. */
const TEXTS: Readonly<Record<string, Partial<StreamFailure>>> = {
  server_is_overloaded: {
    type: "service_unavailable_error",
    message: "Our servers are currently overloaded. Please try again later.",
  },
  slow_down: { type: "service_unavailable_error", message: "Our servers are currently overloaded. Please slow down." },
  context_length_exceeded: {
    type: "invalid_request_error",
    message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
  },
  rate_limit_exceeded: {
    type: "tokens",
    message: "Rate limit reached for the simulated model. Please try again in 1.5s.",
  },
  usage_limit_reached: { type: "usage_limit_reached", message: "The usage limit has been reached" },
  usage_not_included: { type: "usage_not_included", message: "Codex is not included in this simulated plan." },
  insufficient_quota: {
    type: "insufficient_quota",
    message: "You exceeded your current quota, please check your plan and billing details.",
  },
  previous_response_not_found: {
    type: "invalid_request_error",
    message: "Previous response with id 'resp_simulated' not found.",
  },
}

/** The stream: created, in progress, failure. */
export function streamFailure(answer: Answer): void {
  answer.start()
  answer.fail(scriptedFailure(answer), answer.context.settings.errorForm)
}

/** The stream: a whole message first, then the failure. */
export function streamLateFailure(answer: Answer): void {
  answer.start()
  writeMessage(answer, scriptedText(answer))
  answer.fail(scriptedFailure(answer), answer.context.settings.errorForm)
}

/** The stream of an input that is too long for the model. */
export function streamContextOverflow(answer: Answer): void {
  answer.start()
  answer.fail(failureOf("context_length_exceeded"), "pair")
}

function scriptedFailure(answer: Answer): StreamFailure {
  const { code, message, errorType } = answer.context.settings
  const known = failureOf(code)
  return {
    code,
    message: message === "" ? known.message : message,
    type: errorType === "server_error" ? known.type : errorType,
  }
}

function failureOf(code: string): StreamFailure {
  return { code, message: `The Sluice simulator failed on purpose (${code}).`, type: "server_error", ...TEXTS[code] }
}
