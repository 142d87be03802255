/** What the simulator does when nothing is scripted: call a tool when asked to, quote its output, else quote the question. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { Answer } from "#simulator/answers/answer.ts"
import type { OfferedTool } from "#simulator/answers/offered-tools.ts"
import { sampleOf } from "#simulator/answers/schema-sample.ts"
import { commandOf, pickTool, requestedToolName } from "#simulator/answers/tool-choice.ts"

import { streamCompaction } from "./compaction.ts"
import { streamImage } from "./image.ts"
import { summaryParts, writeReasoning } from "./reasoning.ts"
import { scriptedText, writeMessage } from "./text.ts"
import { writeOfferedCall } from "./tool-calls.ts"
import { streamWebSearch } from "./web-search.ts"

/** Efforts at which the simulator shows no reasoning item, as quick answers of the backend often have none. */
const QUIET_EFFORTS = new Set(["none", "minimal", "low"])

/** The stream of an unscripted answer. */
export function streamConversation(answer: Answer): void {
  const write = hostedStream(answer) ?? streamTalk
  write(answer)
}

/** What the backend does itself: compaction, images, web search. */
function hostedStream(answer: Answer): ((answer: Answer) => void) | undefined {
  const { prompt, body, tools } = answer.context
  if (prompt.endsWithCompactionTrigger) return streamCompaction
  if (toolChoice(body).type === "image_generation") return streamImage
  if (tools.hosted.has("image_generation") && asksForImage(prompt.typedText)) return streamImage
  return tools.hosted.has("web_search") && asksForSearch(prompt.typedText) ? streamWebSearch : undefined
}

function streamTalk(answer: Answer): void {
  const { prompt, body } = answer.context
  answer.start()
  if (reasons(body)) writeReasoning(answer, summaryParts(answer))
  const tool = prompt.toolOutputs.length > 0 ? undefined : toolToCall(answer)
  if (tool === undefined) writeMessage(answer, replyText(answer))
  else writeOfferedCall(answer, tool)
  answer.complete()
}

function reasons(body: JsonObject): boolean {
  const reasoning = objectAt(body, "reasoning")
  if (reasoning === undefined) return false
  return !QUIET_EFFORTS.has(stringAt(reasoning, "effort") ?? "medium")
}

/** `tool_choice` as one form: a word, or an object with type and name. */
function toolChoice(body: JsonObject): { readonly type: string; readonly name?: string } {
  const choice = objectAt(body, "tool_choice")
  if (choice === undefined) return { type: stringAt(body, "tool_choice") ?? "auto" }
  const name = stringAt(choice, "name")
  return { type: stringAt(choice, "type") ?? "auto", ...(name === undefined ? {} : { name }) }
}

function toolToCall(answer: Answer): OfferedTool | undefined {
  const { prompt, body, tools } = answer.context
  const choice = toolChoice(body)
  if (choice.type === "none") return undefined
  if (choice.name !== undefined) return tools.named.find(tool => tool.name === choice.name)
  const named = requestedToolName(prompt, tools.named)
  if (named !== undefined) return named
  return choice.type === "required" || commandOf(prompt) !== undefined ? pickTool(tools.named) : undefined
}

function replyText(answer: Answer): string {
  const { prompt, body } = answer.context
  const format = objectAt(objectAt(body, "text") ?? {}, "format") ?? {}
  const type = stringAt(format, "type")
  const text = finalText(answer)
  if (type === "json_object") return JSON.stringify({ answer: text })
  if (type === "json_schema") return JSON.stringify(sampleOf(objectAt(format, "schema") ?? {}, "simulated"))
  return prompt.toolOutputs.length > 0 ? text : scriptedText(answer)
}

function finalText(answer: Answer): string {
  const { prompt } = answer.context
  if (prompt.toolOutputs.length === 0) return scriptedText(answer)
  return `This answer comes from the Sluice simulator. The tool answered: ${prompt.toolOutputs.join("\n").slice(0, 4000)}`
}

function asksForImage(text: string): boolean {
  return /\b(draw|paint|generate an image|create an image)\b/i.test(text)
}

function asksForSearch(text: string): boolean {
  return /\bsearch the web\b/i.test(text)
}
