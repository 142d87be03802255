/** The Continue CLI as columns of the table, a provider each. */

import { join } from "node:path"

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

/** It takes the protocol from provider and model name. */
const WAYS = [
  { id: "chat", protocol: "Chat", provider: "openai", model: "codex-mini", path: "/v1" },
  { id: "responses", protocol: "Responses", provider: "openai", model: "gpt-5.5", path: "/v1" },
  { id: "messages", protocol: "Messages", provider: "anthropic", model: "claude-sonnet-4-5", path: "/v1" },
] as const

type Way = (typeof WAYS)[number]

/** The Continue CLI. */
export const CONTINUE: readonly Client[] = WAYS.map(
  (way): Client => ({
    id: `continue-${way.id}`,
    title: "Continue CLI",
    package: "@continuedev/cli",
    protocol: way.protocol,
    kind: "program",
    model: way.model,
    tool: shellTool("Bash", "command"),
    without: {
      ...(way.id === "chat" ? {} : leftTo("continue-chat")),
      custom: "it offers functions only",
      image: "its headless mode takes no pictures",
      structured: "its headless mode takes no schema",
      reasoning: "it does not bring reasoning back",
      usage: "its headless mode shows none",
      "image-out": "it draws nothing",
      count: "it counts nothing beforehand",
      models: "its models are named in its settings",
    },
    run: (task, place) => runProgram("continue", task, place, turn => say(turn, way)),
  }),
)

function configOf(turn: ProgramTurn, way: Way): string {
  const { gateway } = turn.place
  const entry = {
    name: "Stub",
    provider: way.provider,
    model: way.model,
    apiBase: `${gateway.url}${way.path}`,
    apiKey: gateway.key,
    roles: ["chat"],
    capabilities: ["tool_use"],
  }
  const server = { name: "probe", command: process.execPath, args: [MCP_SERVER, turn.task.tool?.name ?? ""] }
  // JSON is YAML.
  return JSON.stringify({
    name: "gw",
    version: "1.0.0",
    schema: "v1",
    models: [entry],
    ...(turn.task.tool?.kind === "mcp" ? { mcpServers: [server] } : {}),
  })
}

async function say(turn: ProgramTurn, way: Way): Promise<ProgramAnswer> {
  const config = join(turn.in.home, "cn.yaml")
  await Bun.write(config, configOf(turn, way))
  const program = join(await conformanceClients(), "node_modules/.bin/cn")
  const rest = turn.isFirst ? [] : ["--resume"]
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    command: [program, "-p", turn.prompt, "--config", config, "--auto", ...rest],
    in: turn.in,
    env: { CONTINUE_TELEMETRY_ENABLED: "0" },
    proxy: turn.place.proxy,
    limitMs: turn.place.limitMs,
  })
  return {
    text: stdout.trim(),
    ...(exitCode !== 0 && { error: errorLine(stderr || stdout) }),
    ...(isLate && { isLate: true }),
  }
}
