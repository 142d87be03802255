/** Reads what names a response object. */

import type { StreamEvent } from "#core/events.ts"
import { type JsonObject, numberAt, stringAt } from "#core/json.ts"

/** The opening event for a response object. What it does not state is empty, or 0 for the time. */
export function startOf(response: JsonObject): Extract<StreamEvent, { type: "response-start" }> {
  return {
    type: "response-start",
    id: stringAt(response, "id") ?? "",
    model: stringAt(response, "model") ?? "",
    createdAtSec: Math.floor(numberAt(response, "created_at") ?? 0),
  }
}

/** How the answer ended: `failed` also covers cancelled ones. */
export type TerminalKind = "completed" | "incomplete" | "failed"

/**
 * Tells terminal events from all others. `response.done` is the WebSocket spelling and stands for whatever the
 * response's own status says.
 */
export function terminalKindOf(type: string, status: string | undefined): TerminalKind | undefined {
  switch (type) {
    case "response.completed":
      return "completed"
    case "response.incomplete":
      return "incomplete"
    case "response.failed":
    case "response.cancelled":
    case "error":
      return "failed"
    case "response.done":
      return status === "incomplete"
        ? "incomplete"
        : status === "failed" || status === "cancelled"
          ? "failed"
          : "completed"
    default:
      return undefined
  }
}

/** Events that announce an answer without being part of it. */
export function isLifecycle(type: string): boolean {
  return type === "response.created" || type === "response.in_progress" || type === "response.queued"
}

/** Private events of the Codex backend: quota, metadata. Only Codex clients know them. */
export function isPrivate(type: string): boolean {
  return type.startsWith("codex.") || type === "response.metadata"
}
