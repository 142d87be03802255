/** The visible text on its way out: as it comes, cut at a stop sequence, or taken out of its wrapping at the end. */

import { type JsonText, jsonTextOf, parseJsonObject, readJsonText } from "#core/json.ts"
import type { ReplyOptions } from "#core/request.ts"

/** Takes text and hands on what may be seen. */
export type VisibleText = {
  readonly add: (literal: JsonText) => void
  /** A part of another kind follows, or nothing at all: nothing may be held back any longer. */
  readonly flush: () => void
  /** A stop sequence was met: nothing that follows is to be seen. */
  readonly isStopped: () => boolean
}

/** Makes the road the request asks for. */
export function makeVisibleText(reply: ReplyOptions, write: (literal: JsonText) => void): VisibleText {
  if (reply.unwrap !== undefined) return makeUnwrapped(reply.unwrap, write)
  const stops = reply.stopSequences ?? []
  if (stops.length === 0) return { add: write, flush: () => {}, isStopped: () => false }
  return makeStopped(stops, write)
}

function makeUnwrapped(form: "json" | "text", write: (literal: JsonText) => void): VisibleText {
  let text = ""
  return {
    add: literal => {
      text += readJsonText(literal)
    },
    flush: () => {
      if (text === "") return
      const whole = text
      text = ""
      const value = parseJsonObject(whole)?.["value"]
      // An answer that was cut is handed on as it is: half an answer says more than none.
      if (value === undefined) write(jsonTextOf(whole))
      else write(jsonTextOf(form === "text" && typeof value === "string" ? value : JSON.stringify(value)))
    },
    isStopped: () => false,
  }
}

function makeStopped(stops: readonly string[], write: (literal: JsonText) => void): VisibleText {
  const heldChars = Math.max(...stops.map(stop => stop.length)) - 1
  let held = ""
  let stopped = false
  const put = (text: string) => {
    if (text !== "") write(jsonTextOf(text))
  }
  return {
    add: literal => {
      held += readJsonText(literal)
      const found = stops.map(stop => held.indexOf(stop)).filter(at => at !== -1)
      if (found.length > 0) {
        put(held.slice(0, Math.min(...found)))
        held = ""
        stopped = true
        return
      }
      const cut = safeCut(held, Math.max(0, held.length - heldChars))
      put(held.slice(0, cut))
      held = held.slice(cut)
    },
    flush: () => {
      put(held)
      held = ""
    },
    isStopped: () => stopped,
  }
}

/** Returns `at`, or the place before it where that would cut one character in half. */
export function safeCut(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1)
  return unit >= 0xd800 && unit <= 0xdbff ? at - 1 : at
}
