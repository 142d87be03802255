/** The scenarios of the table: what a client is asked, what the upstream does, and what must hold. */

import type { Client, Evidence, Place, Play, Row, Task, Turn } from "./cell.ts"
import { accepted, answered, fitsSchema, inputOf, offeredProbe, ranWhole, sameUsage } from "./judges.ts"
import { turnsOf } from "./turns.ts"
import { textOfEveryScript } from "./unicode.ts"

const SAMPLE = textOfEveryScript()
const LONG_NAME = `weather_of_the_city_that_the_user_names_${"and_of_all_the_others_".repeat(3)}end`
const PATCH = "*** Begin Patch\n*** Add File: made-by-patch.txt\n+marmalade\n*** End Patch\n"

/** The simulator quotes what it is asked, and some clients send what was typed in quotes. */
export const ANSWER = /You asked: "?Say marmalade"?$/

/** How much happened before the last question of a long conversation. */
const EARLIER_EXCHANGES = 40

/** A question with a streamed answer. */
export function ask(prompt: string, more: Partial<Task> = {}): Task {
  return { action: "ask", prompts: [prompt], stream: true, ...more }
}

/** One round with the client's own tool, or with one it is given. */
export function toolTask(client: Client, more: Partial<Task> = {}): Task {
  const own = client.kind === "program" ? {} : { tool: { name: client.tool.name, kind: "function" as const } }
  return ask(client.tool.prompt, { ...own, ...more })
}

const text: Row = {
  id: "text",
  title: "Text",
  group: "scenario",
  play: () => ({
    task: ask("Say marmalade", { stream: false }),
    turns: [1],
    judge: evidence => answered(evidence, ANSWER),
  }),
}

const unicode: Row = {
  id: "unicode",
  title: "Streamed text, every script",
  group: "scenario",
  play: () => ({
    task: ask("Say it all"),
    scripts: [{ scenario: "text", settings: { text: SAMPLE, chunkBytes: 3 } }],
    turns: [1],
    judge: evidence => answered(evidence, SAMPLE),
  }),
}

const tool: Row = {
  id: "tool",
  title: "Tool round",
  group: "scenario",
  play: client => ({
    task: toolTask(client),
    turns: [2],
    judge: evidence => [...answered(evidence, client.tool.result), ...ranWhole(evidence, 1)],
  }),
}

const parallel: Row = {
  id: "parallel",
  title: "Two tools at once",
  group: "scenario",
  play: client => ({
    task: toolTask(client),
    scripts: [callScript(client, "parallel-calls")],
    turns: [2],
    judge: evidence => [
      ...answered(evidence, client.tool.result),
      ...ranWhole(evidence, 2),
      ...returned(evidence, "function_call_output", 2),
    ],
  }),
}

const custom: Row = {
  id: "custom",
  title: "Custom tool",
  group: "scenario",
  play: client => (client.kind === "program" ? patchPlay() : customPlay()),
}

/** Codex has a custom tool of its own, which writes a file. */
function patchPlay(): Play {
  return {
    task: ask("Make the file"),
    scripts: [{ scenario: "custom-call", settings: { tool: "apply_patch", arguments: PATCH }, times: 1 }],
    turns: [2],
    judge: async evidence => {
      const file = Bun.file(`${String(evidence.outcome.facts["work"])}/made-by-patch.txt`)
      const isMade = (await file.exists()) && (await file.text()) === "marmalade\n"
      return [...answered(evidence, "The tool answered"), ...(isMade ? [] : ["the patch was not applied"])]
    },
  }
}

function customPlay(): Play {
  const free = "free text, {not JSON"
  return {
    task: ask("Please patch it", { tool: { name: "patch", kind: "custom" } }),
    scripts: [{ scenario: "custom-call", settings: { tool: "patch", arguments: free }, times: 1 }],
    turns: [2],
    judge: evidence => [
      ...answered(evidence, `21 degrees in ${free}`),
      ...(evidence.outcome.ran.join() === `patch ${free}` ? [] : [`what ran: ${evidence.outcome.ran.join()}`]),
    ],
  }
}

/** Two questions: the first shows under which name the tool is offered, the second calls it. */
function probePlay(name: string): Play {
  return {
    task: ask("Say hello", { prompts: ["Say hello", "Use the probe"], tool: { name, kind: "mcp" } }),
    beside: callProbe,
    turns: [3],
    judge: evidence => answered(evidence, `probe says marmalade (${name})`),
  }
}

async function callProbe(place: Place, signal: AbortSignal): Promise<void> {
  const turn = await firstTurn(place, signal)
  const probe = turn && offeredProbe(turn)
  if (probe === undefined) return
  const { name, namespace } = probe
  const isFirst = () => turnsOf(place).length < 2
  // Only the second question calls it, and both look alike: the first is over when the client comes back.
  if (isFirst()) {
    const scenario = namespace === undefined ? "call" : "namespace-call"
    const settings = { tool: name, arguments: '{"which":"first"}', ...(namespace === undefined ? {} : { namespace }) }
    place.gateway.control.script({ scenario, settings, times: 1 })
  }
}

const mcp: Row = { id: "mcp", title: "MCP tool", group: "scenario", play: () => probePlay("read_probe") }

const longName: Row = {
  id: "long-name",
  title: "Long tool name",
  group: "scenario",
  play: client =>
    client.kind === "program"
      ? probePlay("read_the_probe_whose_name_is_much_longer_than_what_any_upstream_takes_for_a_name")
      : {
          task: ask("Please call it", { tool: { name: LONG_NAME, kind: "function" } }),
          scripts: [{ scenario: "call", settings: { arguments: client.tool.arguments }, times: 1 }],
          turns: [2],
          judge: evidence => [
            ...answered(evidence, client.tool.result),
            ...ranWhole(evidence, 1),
            ...(evidence.outcome.ran[0]?.startsWith(`${LONG_NAME} `) ? [] : ["the tool was called by another name"]),
          ],
        },
}

const image: Row = {
  id: "image",
  title: "Image in",
  group: "scenario",
  play: client => {
    const isRead = client.id === "claude-code"
    const read = { scenario: "call", settings: { tool: "Read", arguments: '{"file_path":"dot.png"}' }, times: 1 }
    return {
      task: ask("What is this?", { image: true }),
      // It has no flag for pictures; its model reads the file.
      ...(isRead && { scripts: [read] }),
      turns: [isRead ? 2 : 1],
      judge: evidence => {
        const sent = JSON.stringify(evidence.turns.map(({ body }) => body["input"]))
        const isSent = sent.includes('"input_image"') && sent.includes("data:image/")
        return [...answered(evidence, "Sluice simulator"), ...(isSent ? [] : ["no picture went upstream"])]
      },
    }
  },
}

const structured: Row = {
  id: "structured",
  title: "Structured output",
  group: "scenario",
  play: client => {
    const isCall = client.id === "claude-code"
    const settings = { tool: "StructuredOutput", arguments: '{"city":"Paris","population":2000000}' }
    return {
      task: ask("A city", { schema: true, stream: false }),
      // It asks for a call of a tool of its own.
      ...(isCall && { scripts: [{ scenario: "call", settings, times: 1 }] }),
      turns: isCall ? [1, 2] : [1],
      judge: fitsSchema,
    }
  },
}

const reasoning: Row = {
  id: "reasoning",
  title: "Reasoning comes back",
  group: "scenario",
  play: client => ({
    task: toolTask(client, { think: true }),
    turns: [2],
    judge: evidence => [
      ...answered(evidence, client.tool.result),
      ...accepted(evidence, [200, 200]),
      ...returned(evidence, "reasoning", 1),
    ],
  }),
}

const moved: Row = {
  id: "moved",
  title: "Account changes mid-round",
  group: "scenario",
  play: client => ({
    task: toolTask(client, { think: true }),
    scripts: [{ settings: { firstEventDelayMs: 400 }, times: 1 }],
    beside: spendFirstAccount,
    turns: [3],
    judge: evidence => {
      const [first, , last] = evidence.turns
      const isMoved = first !== undefined && last !== undefined && first.account !== last.account
      return [
        ...answered(evidence, client.tool.result),
        ...accepted(evidence, [200, 429, 200]),
        ...ranWhole(evidence, 1),
        ...(isMoved ? [] : ["the account did not change"]),
      ]
    },
  }),
}

/** The account of the first turn is out of quota from the second on. */
async function spendFirstAccount(place: Place, signal: AbortSignal): Promise<void> {
  const turn = await firstTurn(place, signal)
  if (turn === undefined) return
  // Its own answer is settled by now, and waits for its first event.
  place.gateway.control.script({ scenario: "usage-limit", account: turn.account })
}

const long: Row = {
  id: "long",
  title: "Long conversation",
  group: "scenario",
  play: client => {
    const prompts = ["Say plums", "Say pears", "Say quinces", "Say marmalade"]
    if (client.kind === "program") return longPlay({ prompts, turns: 4, sayings: prompts })
    const sayings = Array.from({ length: EARLIER_EXCHANGES }, (_, index) => `Question ${index + 1}?`)
    return longPlay({ prompts: ["Say marmalade"], turns: 1, sayings, history: EARLIER_EXCHANGES })
  },
}

function longPlay(parts: {
  readonly prompts: readonly string[]
  readonly turns: number
  readonly sayings: readonly string[]
  readonly history?: number
}): Play {
  const { prompts, turns, sayings, history } = parts
  return {
    task: ask("", { prompts, ...(history === undefined ? {} : { history }) }),
    turns: [turns],
    judge: evidence => {
      const said = inputOf(evidence.turns.at(-1))
        .filter(item => item["role"] === "user")
        .map(item => JSON.stringify(item["content"]))
      const places = sayings.map(saying => said.findIndex(content => content.includes(saying)))
      const isInOrder = places.every((at, index) => at >= 0 && at >= (places[index - 1] ?? 0))
      return [
        ...answered(evidence, ANSWER),
        ...(isInOrder ? [] : ["the conversation before did not go upstream whole and in order"]),
      ]
    },
  }
}

const usage: Row = {
  id: "usage",
  title: "Usage is the upstream's",
  group: "scenario",
  play: () => ({ task: ask("Say marmalade"), turns: [1], judge: sameUsage }),
}

const imageOut: Row = {
  id: "image-out",
  title: "Image out",
  group: "scenario",
  play: () => ({
    task: { action: "draw", prompts: [], stream: false },
    turns: [1],
    judge: ({ outcome }) => {
      if (outcome.error !== undefined) return [`the user is told: ${outcome.error}`]
      return String(outcome.facts["image"]).startsWith("iVBORw0KGgo") ? [] : ["no picture came"]
    },
  }),
}

const count: Row = {
  id: "count",
  title: "Token counting",
  group: "scenario",
  play: () => ({
    task: { action: "count", prompts: ["Say hello"], stream: false },
    turns: [0],
    judge: ({ outcome }) => {
      const { tokens } = outcome.facts
      return typeof tokens === "number" && tokens > 0 ? [] : [outcome.error ?? `it counted ${String(tokens)}`]
    },
  }),
}

const models: Row = {
  id: "models",
  title: "Model list",
  group: "scenario",
  play: client => ({
    task: { action: "models", prompts: [], stream: false },
    turns: [0],
    judge: ({ outcome }) => {
      const listed = outcome.facts["models"]
      const names = Array.isArray(listed) ? listed.map(String) : []
      return names.some(name => name.includes(client.model.replace(/:.*/, ""))) ? [] : [`listed: ${names.join(", ")}`]
    },
  }),
}

function callScript(client: Client, scenario: string) {
  return { scenario, settings: { calls: 2, tool: client.tool.name, arguments: client.tool.arguments }, times: 1 }
}

/** The last turn carries so many items of this type. */
function returned({ turns }: Evidence, type: string, times: number): readonly string[] {
  const count = inputOf(turns.at(-1)).filter(item => item["type"] === type).length
  return count === times ? [] : [`${count} items of the type ${type} went upstream, not ${times}`]
}

/** The first turn, as soon as it is upstream and somebody's. */
async function firstTurn(place: Place, signal: AbortSignal): Promise<Turn | undefined> {
  while (!signal.aborted) {
    const turn = turnsOf(place).find(({ status }) => status === 200)
    if (turn !== undefined) return turn
    await Bun.sleep(5)
  }
  return undefined
}

/** In the order of the page. */
export const SCENARIO_ROWS: readonly Row[] = [
  text,
  unicode,
  tool,
  parallel,
  custom,
  mcp,
  longName,
  image,
  structured,
  reasoning,
  moved,
  long,
  usage,
  imageOut,
  count,
  models,
]
