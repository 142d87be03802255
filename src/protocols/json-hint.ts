/** Makes sure that a request for JSON speaks of it. */

import type { ContentPart, InputItem, OutputFormat } from "#core/request.ts"

/** The upstream refuses the format unless the input speaks of it. */
export function withJsonHint(input: readonly InputItem[], format: OutputFormat | undefined): readonly InputItem[] {
  if (format?.type !== "json-object") return input
  const speaksOfIt = input.some(item => item.type === "message" && item.parts.some(isAboutJson))
  if (speaksOfIt) return input
  return [...input, { type: "message", role: "developer", parts: [{ type: "text", text: "Answer in JSON." }] }]
}

function isAboutJson(part: ContentPart): boolean {
  return part.type === "text" && part.text.toLowerCase().includes("json")
}
