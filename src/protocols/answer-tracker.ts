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
      switch (event.type) {
        case "response-start":
          if (event.model !== "") state = { ...state, upstreamModel: event.model }
          return
        case "usage":
          state = { ...state, usage: event.usage }
          return
        case "finish":
          state = {
            ...state,
            finished: true,
            ...(event.serviceTier !== undefined && { serviceTier: event.serviceTier }),
          }
          return
        case "error":
          state = { ...state, finished: true, error: event.error }
          return
        default:
          return
      }
    },
    state: () => state,
  }
}
