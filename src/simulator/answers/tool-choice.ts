/** Which offered tool suits a request, and with which arguments it is called. */

import { arrayAt, isJsonObject, type Json, objectAt } from "#core/json.ts"

import type { OfferedTool } from "./offered-tools.ts"
import type { Prompt } from "./prompt.ts"
import { sampleOf } from "./schema-sample.ts"

/** Names under which coding clients offer a shell, most specific first. */
const SHELL_NAMES = [
  "exec_command",
  "shell_command",
  "shell",
  "Bash",
  "bash",
  "run_shell_command",
  "run_terminal_command",
  "run_command",
  "execute_command",
  "exec",
]

/** The command a person asks to run: `Please run: echo hello-tool`. Undefined when nothing is asked. */
export function commandOf(prompt: Prompt): string | undefined {
  const stated = /\b(?:run|execute)(?: this| the command)?:\s*(.+)/i.exec(prompt.typedText)
  const plain = /^\s*(?:please\s+)?(?:run|execute)\s+(.+)/i.exec(prompt.typedText)
  const command = withoutQuotes((stated ?? plain)?.[1]?.trim() ?? "", prompt.typedText.trim())
  return command === "" ? undefined : command
}

/** Some clients send what was typed in quotes: the closing one belongs to them, not to the command. */
function withoutQuotes(command: string, typed: string): string {
  const quote = typed.charAt(0)
  return /["'`]/.test(quote) && command.endsWith(quote) ? command.slice(0, -1) : command
}

/** The tool a person names: `Please call the add tool`, `use get_weather`. */
export function requestedToolName(prompt: Prompt, tools: readonly OfferedTool[]): OfferedTool | undefined {
  for (const match of prompt.typedText.matchAll(
    /\b(?:call|use|invoke)\s+(?:the\s+)?(?:tool\s+|function\s+)?[`"']?([\w.-]+)/gi,
  )) {
    const tool = tools.find(candidate => candidate.name === match[1])
    if (tool !== undefined) return tool
  }
  return undefined
}

/** The most suitable tool: a known shell, else one that takes a command, else the first function, else the first. */
export function pickTool(tools: readonly OfferedTool[]): OfferedTool | undefined {
  const shells = SHELL_NAMES.map(name => tools.find(tool => tool.name === name))
  return (
    shells.find(tool => tool !== undefined) ??
    tools.find(tool => commandProperty(tool) !== undefined) ??
    tools.find(tool => tool.kind === "function") ??
    tools[0]
  )
}

/** Returns argument source: JSON that fits the schema with the command in its place, or the text of a free text tool. */
export function synthesiseArguments(tool: OfferedTool, command: string): string {
  if (tool.kind === "custom") return tool.name === "exec" ? javascriptFor(command) : command
  const base = sampleOf({ type: "object", ...tool.parameters }, "simulated")
  const property = commandProperty(tool)
  if (property === undefined || !isJsonObject(base)) return JSON.stringify(base)
  return JSON.stringify({ ...base, [property.name]: property.isList ? ["bash", "-lc", command] : command })
}

/** The Codex CLI's `exec` takes JavaScript that calls the real tools. */
function javascriptFor(command: string): string {
  return `const result = await tools.exec_command({ cmd: ${JSON.stringify(command)} });\ntext(result.output);`
}

function commandProperty(tool: OfferedTool): { readonly name: string; readonly isList: boolean } | undefined {
  const properties = objectAt(tool.parameters, "properties") ?? {}
  for (const name of ["cmd", "command"]) {
    const schema: Json | undefined = properties[name]
    if (isJsonObject(schema)) return { name, isList: isListType(schema["type"], arrayAt(schema, "type")) }
  }
  return undefined
}

function isListType(type: Json | undefined, types: readonly Json[] | undefined): boolean {
  return type === "array" || (types?.includes("array") ?? false)
}
