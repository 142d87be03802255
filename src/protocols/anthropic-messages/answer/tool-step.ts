/** Tool calls on their way into `tool_use` blocks. */

import type { FinishReason, StreamEvent } from "#core/events.ts"
import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import { brokenArguments, makeArgumentLog } from "#protocols/argument-log.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

import type { BlockWriter } from "./block-writer.ts"
import { needsTidying, tidyArguments } from "./tidy-arguments.ts"
import { makeToolIds } from "./tool-ids.ts"

/** The calls of one answer, one after the other. */
export type ToolSteps = {
  readonly start: (start: ToolStart) => void
  /** Throws `upstream-protocol` for arguments without end. */
  readonly delta: (literal: JsonText) => void
  /** `cut` = the upstream says that the arguments are not whole. */
  readonly end: (cut: boolean) => void
  /** The last call ended with arguments that are no object, although nothing says yet that it was cut. */
  readonly isBroken: () => boolean
  /** The answer ends. Throws `upstream-protocol` when it ends well with a broken call. */
  readonly settle: (reason: FinishReason) => void
  readonly whole: () => number
  readonly cut: () => number
}

type ToolStart = Extract<StreamEvent, { type: "tool-start" }>
type ToolUse = { readonly id: string; readonly name: string }

/** One call under way. */
type ToolStep = {
  readonly delta: (literal: JsonText) => void
  /** Closes the call and returns true when its arguments are an object; leaves it open otherwise. */
  readonly end: () => boolean
  /** Ends a call that will never be whole. */
  readonly giveUp: () => void
}

/** Makes the steps of one answer. */
export function makeToolSteps(context: ReplyContext, writer: BlockWriter): ToolSteps {
  const ids = makeToolIds(context.requestId)
  let step: ToolStep | undefined
  let broken: ToolStep | undefined
  let whole = 0
  let cut = 0
  const giveUp = (call: ToolStep) => {
    cut += 1
    call.giveUp()
  }
  return {
    start: event => {
      const name = context.toolNames.get(event.name) ?? event.name
      step = beginTool(event, { id: ids.next(event.callId), name }, writer)
    },
    delta: literal => step?.delta(literal),
    end: isCut => {
      const call = step
      step = undefined
      if (call === undefined) return
      if (call.end()) whole += 1
      else if (isCut) giveUp(call)
      else broken = call
    },
    isBroken: () => broken !== undefined,
    settle: reason => {
      if (broken === undefined) return
      // Never guess at arguments: asking again costs less than a tool that was run with the wrong ones.
      if (reason === "stop" || reason === "tool-calls") throw brokenArguments()
      giveUp(broken)
      broken = undefined
    },
    whole: () => whole,
    cut: () => cut,
  }
}

function beginTool(start: ToolStart, use: ToolUse, writer: BlockWriter): ToolStep {
  if (start.kind === "custom") return freeTextTool(use, writer)
  return needsTidying(use.name) ? wholeTool(use, writer) : liveTool(use, writer)
}

function liveTool(use: ToolUse, writer: BlockWriter): ToolStep {
  const log = makeArgumentLog()
  let sent = 0
  writer.open({ type: "tool_use", ...use })
  return {
    delta: literal => {
      if (!log.append(literal)) return
      sent += 1
      writer.delta("input", literal)
    },
    end: () => {
      const { isObject, text } = log.whole()
      if (!isObject) return false
      // Some clients forget a call without any input, and nothing at all cannot be told from a lost delta.
      if (sent === 0) writer.delta("input", jsonTextOf(text))
      writer.close()
      return true
    },
    giveUp: () => writer.close("cut"),
  }
}

/** Nothing is shown before the arguments are whole; a call that is cut is then never announced. */
function wholeTool(use: ToolUse, writer: BlockWriter): ToolStep {
  const log = makeArgumentLog()
  return {
    delta: literal => {
      log.append(literal)
    },
    end: () => {
      const { isObject, text } = log.whole()
      if (isObject) writer.whole({ type: "tool_use", ...use }, "input", tidyArguments(use.name, text))
      return isObject
    },
    giveUp: () => {},
  }
}

/** A free text tool: this dialect knows arguments as objects only. */
function freeTextTool(use: ToolUse, writer: BlockWriter): ToolStep {
  let input = ""
  return {
    delta: literal => {
      input += readJsonText(literal)
    },
    end: () => {
      writer.whole({ type: "tool_use", ...use }, "input", JSON.stringify({ input }))
      return true
    },
    giveUp: () => {},
  }
}
