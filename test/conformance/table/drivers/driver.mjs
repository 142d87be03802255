// What every driver of a library shares: the task, its tools, and how the outcome is told.
// Environment: CLIENTS (folder of node_modules), ORIGIN (http://host:port), KEY, TASK (JSON). Prints the outcome as one JSON line.
import { join } from "node:path"

export const from = path => import(join(process.env.CLIENTS, "node_modules", path))
export const { ORIGIN: origin, KEY: apiKey } = process.env
export const task = JSON.parse(process.env.TASK)
export const model = task.model

// What tools ran with, and what a streaming client has shown of the present answer.
const ran = []
let shown = ""

export const show = text => {
  shown += text ?? ""
}
export const forget = () => {
  shown = ""
}

// A tool's work. Arguments come as source or as an object; what is no object never gets that far in a careful program.
export function runTool(name, args) {
  ran.push(`${name} ${typeof args === "string" ? args : JSON.stringify(args)}`)
  const city = typeof args === "string" ? args : args?.city
  return `21 degrees in ${city}`
}

export const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
}
export const schema = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "number" } },
  required: ["city", "population"],
  additionalProperties: false,
}
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

// A long conversation as its user has kept it: pairs of question and answer.
export const history = Array.from({ length: task.history ?? 0 }, (_, index) => [
  `Question ${index + 1}?`,
  `Answer ${index + 1}.`,
])

// The same as messages, which is how most packages take it.
export const earlier = history.flatMap(([user, assistant]) => [
  { role: "user", content: user },
  { role: "assistant", content: assistant },
])

// Goes through a conversation by hand, as the packages' own examples do: ask, run what is called, ask again.
// `talk` has `user(text)`, `step()` → { text, calls: [{ id, name, args, isText }], usage } and `result(call, output)`.
export async function converse(talk) {
  let last
  for (const prompt of task.prompts) {
    await talk.user(prompt)
    for (let step = 0; step < 4; step += 1) {
      forget()
      last = await talk.step()
      if ((last.calls ?? []).length === 0) break
      const results = last.calls.map(call => {
        const args = call.isText || typeof call.args === "object" ? call.args : JSON.parse(call.args)
        return [call, runTool(call.name, args)]
      })
      for (const [call, output] of results) await talk.result(call, output)
      if (talk.flush) await talk.flush()
    }
  }
  return last
}

const describe = error => ({
  name: error?.constructor?.name ?? typeof error,
  status: error?.status ?? error?.statusCode ?? error?.status_code,
  message: String(error?.message ?? error),
})

export async function report(operations) {
  const run = operations[task.action]
  if (run === undefined) throw new Error(`this client cannot ${task.action}`)
  let outcome
  try {
    outcome = await run()
  } catch (error) {
    outcome = { text: shown, error: describe(error) }
  }
  const { text = "", usage, error, facts = {} } = outcome
  process.stdout.write(`${JSON.stringify({ text, usage, error, facts, ran })}\n`, () => process.exit(0))
}
