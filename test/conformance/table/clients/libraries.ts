/** The libraries of the table: each column is a driver, one of its ways, and a model. */

import { join } from "node:path"

import { arrayAt, isJsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "../../../support/conformance-clients.ts"
import { runHeadless } from "../../../support/headless-client.ts"
import type { Client, Outcome, Place, Task } from "../cell.ts"

const DRIVERS = join(import.meta.dir, "../drivers")

const NO_CUSTOM = "its protocol has no custom tools"
const NO_MCP = "a library; it offers the tools it is given"
const NO_IMAGES = "its protocol draws no pictures"
const NO_COUNT = "it has no call for it"
const NO_LIST = "it lists no models"
const DROPS_REASONING = "it does not bring reasoning back"

const TOOL = {
  prompt: "Please use the tool weather, then answer.",
  name: "weather",
  arguments: '{"city":"Paris on the river Seine"}',
  result: "21 degrees in ",
}

type Column = Pick<Client, "id" | "title" | "package" | "protocol" | "without" | "door"> & {
  readonly driver: string
  readonly way?: string
  readonly model?: string
}

const PROVIDERS = {
  compatible: "@ai-sdk/openai-compatible",
  anthropic: "@ai-sdk/anthropic",
  google: "@ai-sdk/google",
} as const

const CHAT = "Chat"
const RESPONSES = "Responses"

const COLUMNS: readonly Column[] = [
  {
    id: "openai-chat",
    title: "openai",
    package: "openai",
    protocol: CHAT,
    driver: "openai",
    way: "chat",
    without: { mcp: NO_MCP, reasoning: DROPS_REASONING, count: "Chat has no token counting" },
  },
  {
    id: "openai-responses",
    title: "openai",
    package: "openai",
    protocol: RESPONSES,
    driver: "openai",
    way: "responses",
    without: { mcp: NO_MCP },
  },
  {
    id: "openai-socket",
    title: "openai",
    package: "openai",
    protocol: "Responses over WebSocket",
    driver: "openai",
    way: "socket",
    without: { mcp: NO_MCP, count: "counted over HTTP, as above", models: "listed over HTTP, as above" },
  },
  {
    id: "anthropic-sdk",
    title: "@anthropic-ai/sdk",
    package: "@anthropic-ai/sdk",
    protocol: "Messages",
    driver: "anthropic",
    without: { mcp: NO_MCP, custom: NO_CUSTOM, "image-out": NO_IMAGES },
  },
  {
    id: "genai",
    title: "@google/genai",
    package: "@google/genai",
    protocol: "Gemini",
    driver: "genai",
    without: { mcp: NO_MCP, custom: NO_CUSTOM, "image-out": "Sluice draws for OpenAI's protocols" },
  },
  {
    id: "ollama",
    title: "ollama",
    package: "ollama",
    protocol: "Ollama",
    driver: "ollama",
    model: "gpt-5.5:latest",
    door: "ollama",
    without: {
      mcp: NO_MCP,
      custom: NO_CUSTOM,
      reasoning: "its protocol has no place for sealed reasoning",
      "image-out": NO_IMAGES,
      count: NO_COUNT,
    },
  },
  ...(
    [
      ["responses", RESPONSES, {}],
      ["chat", CHAT, { custom: "its Chat provider offers functions only", reasoning: DROPS_REASONING }],
      ["compatible", CHAT, { custom: NO_CUSTOM, reasoning: "it brings back plain reasoning only, nothing sealed" }],
      ["anthropic", "Messages", { custom: NO_CUSTOM }],
      ["google", "Gemini", { custom: NO_CUSTOM }],
    ] as const
  ).map(
    ([way, protocol, without]): Column => ({
      id: `ai-sdk-${way}`,
      title: "AI SDK",
      package: way === "responses" || way === "chat" ? "@ai-sdk/openai" : PROVIDERS[way],
      protocol,
      driver: "ai-sdk",
      way,
      without: {
        mcp: NO_MCP,
        count: NO_COUNT,
        models: NO_LIST,
        ...(way === "responses" ? {} : { "image-out": "drawn through its OpenAI provider" }),
        ...without,
      },
    }),
  ),
  ...(["chat", "responses"] as const).map(
    (way): Column => ({
      id: `langchain-${way}`,
      title: "@langchain/openai",
      package: "@langchain/openai",
      protocol: way === "chat" ? CHAT : RESPONSES,
      driver: "langchain",
      way,
      without: {
        mcp: NO_MCP,
        custom: "it offers functions only",
        "image-out": "it draws nothing",
        count: NO_COUNT,
        models: NO_LIST,
        ...(way === "chat" ? { reasoning: DROPS_REASONING } : {}),
      },
    }),
  ),
  ...(["chat", "responses", "socket"] as const).map(
    (way): Column => ({
      id: `agents-${way}`,
      title: "@openai/agents",
      package: "@openai/agents",
      protocol: { chat: CHAT, responses: RESPONSES, socket: "Responses over WebSocket" }[way],
      driver: "agents",
      way,
      without: {
        mcp: NO_MCP,
        custom: "it offers functions only",
        "image-out": "it draws through hosted tools only",
        count: NO_COUNT,
        models: NO_LIST,
        ...(way === "chat" ? { reasoning: DROPS_REASONING } : {}),
      },
    }),
  ),
]

/** Every library. */
export const LIBRARIES: readonly Client[] = COLUMNS.map(({ driver, way = "", model = "gpt-5.5", ...column }) => ({
  ...column,
  kind: "library",
  model,
  tool: TOOL,
  run: (task, place) => runDriver(driver, { ...task, way, model: task.think ? thinkingModel(model) : model }, place),
}))

/** High effort: at others the simulator may show no reasoning. */
function thinkingModel(model: string): string {
  return model.includes(":") ? model : `${model}-high`
}

async function runDriver(driver: string, task: Task & { readonly way: string; readonly model: string }, place: Place) {
  const { gateway, origin, proxy, limitMs } = place
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    command: [process.execPath, "--no-env-file", join(DRIVERS, `${driver}.mjs`)],
    in: { home: gateway.folder, work: gateway.folder },
    env: { CLIENTS: await conformanceClients(), ORIGIN: origin, KEY: gateway.key, TASK: JSON.stringify(task) },
    proxy,
    limitMs,
  })
  const printed = parseJsonObject(stdout.trim().split("\n").at(-1) ?? "")
  if (isLate) return { text: "", ran: [], facts: {}, isLate } satisfies Outcome
  if (printed === undefined) throw new Error(`the driver ended with code ${exitCode}: ${stderr.slice(-600)}`)
  return readOutcome(printed)
}

function readOutcome(printed: NonNullable<ReturnType<typeof parseJsonObject>>): Outcome {
  const error = objectAt(printed, "error")
  const usage = objectAt(printed, "usage")
  const tokens = (name: string) => (typeof usage?.[name] === "number" ? { [name]: usage[name] } : {})
  return {
    text: stringAt(printed, "text") ?? "",
    ran: (arrayAt(printed, "ran") ?? []).map(String),
    facts: objectAt(printed, "facts") ?? {},
    ...(error === undefined ? {} : { error: stringAt(error, "message") || stringAt(error, "name") || "an error" }),
    ...(isJsonObject(usage) ? { usage: { ...tokens("inputTokens"), ...tokens("outputTokens") } } : {}),
  }
}
