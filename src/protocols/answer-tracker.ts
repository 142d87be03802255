/** Keeps the observer's view of an answer while its events pass. */

import type { StreamEvent } from "#core/events.ts"

import type { AnswerState } from "./protocol.ts"

/** Sees every event once and tells what is known so far. */
export type AnswerTracker = {
  readonly see: (event: StreamEvent) => void
  readonly state: () => AnswerState
}

/** Makes a tracker for one answer. */
export function makeAnswerTracker(): AnswerTracker {
  let state: AnswerState = { finished: false }
  return {
    see: event => {
      const { type } = event
      if (type === "usage") state = { ...state, usage: event.usage }
      else if (type === "error") state = { ...state, finished: true, error: event.error }
      else if (type === "finish") state = { ...state, finished: true, ...tierOf(event.serviceTier) }
      else if (type === "response-start" && event.model !== "") state = { ...state, upstreamModel: event.model }
    },
    state: () => state,
  }
}

function tierOf(serviceTier: string | undefined): Pick<AnswerState, "serviceTier"> {
  return serviceTier === undefined ? {} : { serviceTier }
}
