/** Calls of tools the client runs: functions, free text tools, namespaced ones, search, shell. */

import type { JsonObject } from "#core/json.ts"
import { type Answer, fragmentsOf } from "#simulator/answers/answer.ts"
import type { OfferedTool } from "#simulator/answers/offered-tools.ts"
import { commandOf, pickTool, synthesiseArguments } from "#simulator/answers/tool-choice.ts"

import { writeMessage } from "./text.ts"

/** One call of a function: JSON source as `argumentSource`. */
type FunctionCall = {
  readonly name: string
  readonly namespace?: string
  readonly argumentSource: string
}

/** Writes a function call: added, argument deltas, done. The deltas carry the item's id, never the call's. */
function writeFunctionCall(answer: Answer, call: FunctionCall): void {
  const id = answer.context.ids.item("fc")
  const namespace: JsonObject = call.namespace === undefined ? {} : { namespace: call.namespace }
  const base = {
    id,
    type: "function_call",
    call_id: answer.context.ids.callId(),
    name: call.name,
    ...namespace,
  }
  const index = answer.addItem({ ...base, status: "in_progress", arguments: "" })
  const place = { item_id: id, output_index: index }
  for (const delta of fragmentsOf(call.argumentSource)) {
    answer.emit("response.function_call_arguments.delta", { ...place, delta })
  }
  answer.emit("response.function_call_arguments.done", { ...place, arguments: call.argumentSource })
  answer.finishItem(index, { ...base, status: "completed", arguments: call.argumentSource })
}

/** Writes a call of a free text tool. */
function writeCustomCall(answer: Answer, tool: Pick<OfferedTool, "name" | "namespace">, input: string): void {
  const id = answer.context.ids.item("ctc")
  const namespace: JsonObject = tool.namespace === undefined ? {} : { namespace: tool.namespace }
  const callId = answer.context.ids.callId()
  const base = { id, type: "custom_tool_call", call_id: callId, name: tool.name, ...namespace }
  const index = answer.addItem({ ...base, status: "in_progress", input: "" })
  const place = { item_id: id, output_index: index }
  for (const delta of fragmentsOf(input)) answer.emit("response.custom_tool_call_input.delta", { ...place, delta })
  answer.emit("response.custom_tool_call_input.done", { ...place, input })
  answer.finishItem(index, { ...base, status: "completed", input })
}

/** Writes a call of an offered tool with arguments made for the request. */
export function writeOfferedCall(answer: Answer, tool: OfferedTool): void {
  const { settings, prompt } = answer.context
  const command = commandOf(prompt) ?? "echo hello-tool"
  const source = settings.arguments === "" ? synthesiseArguments(tool, command) : settings.arguments
  const namespace = tool.namespace === undefined ? {} : { namespace: tool.namespace }
  if (tool.kind === "custom") writeCustomCall(answer, tool, source)
  else writeFunctionCall(answer, { name: tool.name, argumentSource: source, ...namespace })
}

/** The stream: one call of the stated tool, or of the most suitable one. */
export function streamCall(answer: Answer): void {
  answer.start()
  writeOfferedCall(answer, chosenTool(answer, "function"))
  answer.complete()
}

/** The stream: chatter, then one call. */
export function streamCommentaryCall(answer: Answer): void {
  answer.start()
  writeMessage(answer, "The simulator will call a tool.", { phase: "commentary" })
  writeOfferedCall(answer, chosenTool(answer, "function"))
  answer.complete()
}

/** The stream: `calls` calls in a row. */
export function streamParallelCalls(answer: Answer): void {
  answer.start()
  const tool = chosenTool(answer, "function")
  for (let call = 0; call < answer.context.settings.calls; call += 1) writeOfferedCall(answer, tool)
  answer.complete()
}

/** The stream: one call of a free text tool. */
export function streamCustomCall(answer: Answer): void {
  answer.start()
  writeOfferedCall(answer, chosenTool(answer, "custom"))
  answer.complete()
}

/** The stream: one call of a tool inside a namespace, named by its short name. */
export function streamNamespaceCall(answer: Answer): void {
  const { settings, tools } = answer.context
  const found = tools.named.find(tool => tool.namespace !== undefined && matches(tool, settings.tool))
  const namespace = settings.namespace === "" ? "mcp__simulated" : settings.namespace
  const tool = found ?? { ...madeUpTool("function", settings.tool), namespace }
  answer.start()
  writeOfferedCall(answer, tool)
  answer.complete()
}

/** The stream: a search for tools that the client runs. Its call id in `added` is not the one that counts. */
export function streamToolSearch(answer: Answer): void {
  const { ids } = answer.context
  const base = { id: ids.item("tsc"), type: "tool_search_call", execution: "client" }
  answer.start()
  const index = answer.addItem({ ...base, call_id: ids.callId(), status: "in_progress", arguments: {} })
  const query = { query: answer.context.prompt.typedText.slice(0, 200), limit: 5 }
  answer.finishItem(index, { ...base, call_id: ids.callId(), status: "completed", arguments: query })
  answer.complete()
}

/** The stream: a shell call of the older kind, without deltas. */
export function streamLocalShell(answer: Answer): void {
  const { ids, prompt } = answer.context
  const base = { id: ids.item("lsh"), type: "local_shell_call", call_id: ids.callId() }
  answer.start()
  const index = answer.addItem({ ...base, status: "in_progress", action: { type: "exec", command: [], env: {} } })
  const command = ["bash", "-lc", commandOf(prompt) ?? "echo hello-tool"]
  answer.finishItem(index, { ...base, status: "completed", action: { type: "exec", command, env: {} } })
  answer.complete()
}

function chosenTool(answer: Answer, kind: OfferedTool["kind"]): OfferedTool {
  const { settings, tools } = answer.context
  const candidates = tools.named.filter(tool => tool.kind === kind && matches(tool, settings.tool))
  return pickTool(candidates) ?? madeUpTool(kind, settings.tool)
}

function matches(tool: OfferedTool, name: string): boolean {
  return name === "" || tool.name === name
}

/** Scripts may call what was never offered: clients must survive that too. */
function madeUpTool(kind: OfferedTool["kind"], name: string): OfferedTool {
  return { kind, name: name === "" ? "simulated_tool" : name, parameters: {} }
}
