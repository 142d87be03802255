/** opencode as four columns of the table: it brings a provider for each protocol. */

import { join } from "node:path"

import { isJsonObject, type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "../../../support/conformance-clients.ts"
import { runHeadless } from "../../../support/headless-client.ts"
import type { Client } from "../cell.ts"
import {
  errorLine,
  leftTo,
  MCP_SERVER,
  type ProgramAnswer,
  type ProgramTurn,
  runProgram,
  shellTool,
} from "./program.ts"

const WAYS = [
  { id: "chat", protocol: "Chat", npm: "@ai-sdk/openai-compatible", path: "/v1" },
  { id: "responses", protocol: "Responses", npm: "@ai-sdk/openai", path: "/v1" },
  { id: "messages", protocol: "Messages", npm: "@ai-sdk/anthropic", path: "/v1" },
  { id: "gemini", protocol: "Gemini", npm: "@ai-sdk/google", path: "/v1beta" },
] as const

type Way = (typeof WAYS)[number]

const MODEL = "gpt-5.5"

/** opencode, a column a protocol. */
export const OPENCODE: readonly Client[] = WAYS.map(
  (way): Client => ({
    id: `opencode-${way.id}`,
    title: "opencode",
    package: "opencode-ai",
    protocol: way.protocol,
    kind: "program",
    model: MODEL,
    tool: shellTool("bash", "command", { description: "runs it" }),
    without: {
      ...(way.id === "chat" ? {} : leftTo("opencode-chat")),
      custom: "it offers functions only",
      structured: "its headless mode takes no schema",
      "image-out": "it draws nothing",
      count: "it counts nothing beforehand",
      models: "its models are named in its settings",
      ...(way.id === "chat" ? { reasoning: "over Chat it brings back plain reasoning only, nothing sealed" } : {}),
    },
    run: (task, place) => runProgram("opencode", task, place, turn => say(turn, way)),
  }),
)

function configOf(turn: ProgramTurn, way: Way): JsonObject {
  const { gateway } = turn.place
  const { task } = turn
  const model = {
    name: MODEL,
    tool_call: true,
    attachment: true,
    reasoning: true,
    modalities: { input: ["text", "image"], output: ["text"] },
    limit: { context: 128_000, output: 8192 },
    ...(task.think && way.id === "responses"
      ? { options: { reasoningEffort: "high", reasoningSummary: "auto", include: ["reasoning.encrypted_content"] } }
      : {}),
    ...(task.think && way.id === "messages" ? { options: { thinking: { type: "enabled", budgetTokens: 8000 } } } : {}),
    ...(task.think && way.id === "gemini"
      ? { options: { thinkingConfig: { includeThoughts: true, thinkingBudget: 8000 } } }
      : {}),
  }
  const command = [process.execPath, MCP_SERVER, task.tool?.name ?? ""]
  return {
    autoupdate: false,
    share: "disabled",
    permission: { "*": "allow" },
    provider: {
      gw: {
        npm: way.npm,
        name: "gw",
        options: { baseURL: `${gateway.url}${way.path}`, apiKey: gateway.key },
        models: { [MODEL]: model },
      },
    },
    ...(task.tool?.kind === "mcp" ? { mcp: { probe: { type: "local", command, enabled: true } } } : {}),
  }
}

async function say(turn: ProgramTurn, way: Way): Promise<ProgramAnswer> {
  await Bun.write(join(turn.in.work, "opencode.json"), JSON.stringify(configOf(turn, way)))
  const program = join(await conformanceClients(), "node_modules/.bin/opencode")
  const flags = ["--format", "json", "--title", "t", "-m", `gw/${MODEL}`]
  const rest = [...(turn.isFirst ? [] : ["--continue"]), ...(turn.task.image ? ["-f", "dot.png", "--"] : [])]
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    command: [program, "run", ...flags, ...rest, turn.prompt],
    in: turn.in,
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    },
    proxy: turn.place.proxy,
    limitMs: turn.place.limitMs,
  })
  const events = stdout.split("\n").map(line => parseJsonObject(line) ?? {})
  const parts = (type: string) =>
    events.filter(event => event["type"] === type).map(event => objectAt(event, "part") ?? {})
  const failure = events.findLast(event => event["type"] === "error")
  const tokens = objectAt(parts("step_finish").at(-1) ?? {}, "tokens")
  return {
    text: stringAt(parts("text").at(-1) ?? {}, "text") ?? "",
    ...((failure !== undefined || exitCode !== 0) && {
      error: errorLine(failure === undefined ? stderr : JSON.stringify(failure)),
    }),
    ...(isLate && { isLate: true }),
    ...(isJsonObject(tokens) && { usage: usageOf(tokens) }),
  }
}

/** It counts what came from a cache, and thinking, apart. */
function usageOf(tokens: JsonObject): NonNullable<ProgramAnswer["usage"]> {
  const cache = objectAt(tokens, "cache") ?? {}
  const inputTokens =
    (numberAt(tokens, "input") ?? 0) + (numberAt(cache, "read") ?? 0) + (numberAt(cache, "write") ?? 0)
  return { inputTokens, outputTokens: (numberAt(tokens, "output") ?? 0) + (numberAt(tokens, "reasoning") ?? 0) }
}
