/** What the command line clients of the table share: a home for each conversation, and what their tools leave behind. */

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { type ClientHome, freshHome } from "../../../support/headless-client.ts"
import type { Outcome, Place, Task, ToolFacts } from "../cell.ts"
import { FAULT_ROWS } from "../fault-rows.ts"

/** The program that serves MCP tools. */
export const MCP_SERVER = join(import.meta.dir, "../../../support/mcp-probe-server.ts")

/** A picture of one dot. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==",
  "base64",
)

/** An object of `city` and `population`, as a JSON schema. */
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "number" } },
  required: ["city", "population"],
  additionalProperties: false,
}

/** Leaves a line when it begins and one when it ends, so that half of it can be told from the whole. */
const COMMAND = "echo begun >> ran.log; echo hello-tool; echo ended >> ran.log"

/** The shell of a program. `more` is what its schema asks for besides the command. */
export function shellTool(name: string, property: string, more: Readonly<Record<string, string>> = {}): ToolFacts {
  return {
    prompt: `Please run: ${COMMAND}`,
    name,
    arguments: JSON.stringify({ [property]: COMMAND, ...more }),
    result: "hello-tool",
  }
}

/** One run of a program within a conversation. */
export type ProgramTurn = {
  readonly task: Task
  readonly prompt: string
  readonly isFirst: boolean
  readonly in: ClientHome
  readonly place: Place
}

/** What one run came to. */
export type ProgramAnswer = Pick<Outcome, "text" | "error" | "usage" | "isLate"> & { readonly facts?: Outcome["facts"] }

/** Holds a conversation: one run a prompt, in one home. */
export async function runProgram(
  name: string,
  task: Task,
  place: Place,
  say: (turn: ProgramTurn) => Promise<ProgramAnswer>,
): Promise<Outcome> {
  const home = await freshHome(place.gateway.folder, name)
  if (task.image) await Bun.write(join(home.work, "dot.png"), PNG)
  if (task.schema) await Bun.write(join(home.work, "schema.json"), JSON.stringify(SCHEMA))
  let answer: ProgramAnswer = { text: "" }
  for (const [index, prompt] of task.prompts.entries()) {
    answer = await say({ task, prompt, isFirst: index === 0, in: home, place })
    if (answer.isLate) break
  }
  return { facts: {}, ...answer, ran: readRuns(join(home.work, "ran.log")) }
}

/** One entry a run: `whole`, or what there is of it. */
function readRuns(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, "utf8").trim().split("\n")
  const begun = lines.filter(line => line === "begun").length
  const ended = lines.filter(line => line === "ended").length
  return Array.from({ length: begun }, (_, index) => (index < ended ? "whole" : "begun and not ended"))
}

/** Faults in which a client's other columns of the same program are played; the rest is the same program code. */
const PLAYED_IN_ALL = new Set(["cut-call", "end-call"])

/** What a second column of one program leaves to its first: it starts slowly, and only the protocol differs. */
export function leftTo(column: string): Readonly<Record<string, string>> {
  const left = FAULT_ROWS.filter(({ id }) => !PLAYED_IN_ALL.has(id))
  return Object.fromEntries(left.map(({ id }) => [id, `not played: the program's reaction is that of ${column}`]))
}

/** A failure as its user is told of it, in one line. */
export function errorLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 400) || "it ended with an error and no word"
}
