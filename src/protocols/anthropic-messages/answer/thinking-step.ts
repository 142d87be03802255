/** Reasoning on its way into a thinking block. */

import type { NativeItem } from "#core/events.ts"
import { type JsonText, jsonTextOf } from "#core/json.ts"
import type { ReplyContext } from "#protocols/protocol.ts"
import { sealSignature } from "#protocols/seal-signature.ts"

import type { BlockWriter } from "./block-writer.ts"

/** The reasoning items of one answer, one after the other. */
export type ThinkingStep = {
  readonly delta: (literal: JsonText) => void
  readonly end: (seal: NativeItem | undefined) => void
}

/** Makes the step. Clients that did not ask for thinking get none; a block without text still carries its signature. */
export function makeThinkingStep({ reply, origin }: ReplyContext, writer: BlockWriter): ThinkingStep {
  const { thinking } = reply
  if (thinking === undefined) return { delta: () => {}, end: () => {} }
  const open = () => {
    if (!writer.isOpen()) writer.open({ type: "thinking" })
  }
  return {
    delta: literal => {
      if (thinking === "sealed") return
      open()
      writer.delta("thinking", literal)
    },
    end: seal => {
      const signature = seal === undefined ? undefined : sealSignature(seal, origin)
      if (signature !== undefined) {
        open()
        writer.delta("signature", jsonTextOf(signature))
      }
      if (writer.isOpen()) writer.close()
    },
  }
}
