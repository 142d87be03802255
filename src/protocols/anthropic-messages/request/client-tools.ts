/** Tools that the client runs and only the vendor's models know by heart: our upstreams have to be told their schemas. */

import type { JsonObject } from "#core/json.ts"

/** What a model is told of a tool. */
export type ClientTool = { readonly description: string; readonly parameters: JsonObject }

const text = (description: string): JsonObject => ({ type: "string", description })
const line: JsonObject = { type: "integer", description: "Line number, counted from 1; 0 inserts at the beginning." }
const range: JsonObject = {
  type: "array",
  items: { type: "integer" },
  description: "First and last line to show, counted from 1; -1 as the last one means the end of the file.",
}

function object(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: "object", properties, required }
}

function commands(names: readonly string[]): JsonObject {
  return { type: "string", enum: names, description: "What to do." }
}

const EDITOR_PROPERTIES: JsonObject = {
  path: text("Absolute path of the file or folder."),
  file_text: text("Content of the file to create."),
  old_str: text("Text to replace; it must occur exactly once."),
  new_str: text("Text to put in its place."),
  insert_line: line,
  insert_text: text("Text to insert after the line."),
  view_range: range,
}

const BASH: ClientTool = {
  description: "Runs a command in a shell that stays open between calls.",
  parameters: object(
    {
      command: text("The command to run."),
      restart: { type: "boolean", description: "True starts the shell anew." },
    },
    [],
  ),
}

const EDITOR: ClientTool = {
  description: "Shows, creates and edits text files.",
  parameters: object({ command: commands(["view", "create", "str_replace", "insert"]), ...EDITOR_PROPERTIES }, [
    "command",
    "path",
  ]),
}

const EDITOR_WITH_UNDO: ClientTool = {
  description: "Shows, creates and edits text files, and takes back the last edit of one.",
  parameters: object(
    { command: commands(["view", "create", "str_replace", "insert", "undo_edit"]), ...EDITOR_PROPERTIES },
    ["command", "path"],
  ),
}

const MEMORY: ClientTool = {
  description: "Keeps notes in files under /memories, which outlast the conversation.",
  parameters: object(
    {
      command: commands(["view", "create", "str_replace", "insert", "delete", "rename"]),
      ...EDITOR_PROPERTIES,
      old_path: text("Path to rename."),
      new_path: text("Its new path."),
    },
    ["command"],
  ),
}

/**
 * By type, dates included.
 * @see https://docs.claude.com/en/docs/agents-and-tools/tool-use/bash-tool and its sister pages
 */
const CLIENT_TOOLS: ReadonlyMap<string, ClientTool> = new Map([
  ["bash_20241022", BASH],
  ["bash_20250124", BASH],
  ["text_editor_20241022", EDITOR_WITH_UNDO],
  ["text_editor_20250124", EDITOR_WITH_UNDO],
  ["text_editor_20250429", EDITOR],
  ["text_editor_20250728", EDITOR],
  ["memory_20250818", MEMORY],
])

/** Returns what the model has to be told, undefined for types that are not known. */
export function clientTool(type: string): ClientTool | undefined {
  return CLIENT_TOOLS.get(type)
}
