import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { arrayAt, isJsonObject, type Json, type JsonObject } from "#core/json.ts"
import type { RecordedRequest } from "#simulator/recorder.ts"

import { runCodex } from "../support/codex-cli.ts"
import { type RecordingProxy, startRecordingProxy } from "../support/recording-proxy.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

let gateway: SimulatedGateway
let proxy: RecordingProxy

beforeAll(async () => {
  gateway = await startSimulatedGateway()
  proxy = startRecordingProxy(gateway.url)
})
afterAll(async () => {
  await proxy.stop()
  await gateway.stop()
})

/** Everything that may differ between what Codex sends and what the upstream gets. */
const EDITS = new Set([
  "instructions added",
  "prompt_cache_key changed",
  "reasoning.summary added",
  "input[].id removed",
  // Of reasoning, which the upstream refuses with it.
  "input[].content removed",
])

/** The paths at which two values differ, and how. The order of members counts everywhere but at the top. */
function differences(before: Json | undefined, after: Json | undefined, path = ""): readonly string[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, at) => differences(before[at], after[at], `${path}[]`)).flat()
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const inner = path === "" ? "" : `${path}.`
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    const found = [...keys].flatMap(key => differences(before[key], after[key], inner + key))
    return path === "" || sharedKeys(before, after) === sharedKeys(after, before)
      ? found
      : [...found, `${path} reordered`]
  }
  if (before === after) return []
  return [after === undefined ? `${path} removed` : before === undefined ? `${path} added` : `${path} changed`]
}

function sharedKeys(object: JsonObject, other: JsonObject): string {
  return Object.keys(object)
    .filter(key => Object.hasOwn(other, key))
    .join()
}

/** The type and the members without id of each item. */
function withoutIds(body: JsonObject): readonly JsonObject[] {
  const items = (arrayAt(body, "input") ?? []).filter(isJsonObject)
  return items.map(({ id: _, ...item }) => item)
}

describe.each(["gpt-5.5", "gpt-5.6-sol"])("two turns of the real Codex CLI with %s", model => {
  let sent: readonly JsonObject[]
  let turns: readonly RecordedRequest[]

  beforeAll(async () => {
    const already = proxy.bodies("/responses").length
    gateway.control.clearRecorded()
    const mcpServer = join(import.meta.dir, "../support/mcp-probe-server.ts")
    const options = { model, prompt: "Please run: echo hello-tool", mcpServer }
    expect(await runCodex({ ...gateway, url: proxy.url }, options)).toMatchObject({ exitCode: 0 })
    sent = proxy.bodies("/responses").slice(already)
    turns = gateway.control.recorded({ path: "/backend-api/codex/responses" })
    expect([sent.length, turns.length]).toEqual([2, 2])
  })

  test("reach the upstream with nothing changed but the documented edits", () => {
    for (const [at, body] of sent.entries()) {
      const found = new Set(differences(body, turns[at]?.body))
      expect([...found].filter(difference => !EDITS.has(difference))).toEqual([])
    }
  })

  test("lose the content of reasoning only", () => {
    for (const [at, body] of sent.entries()) {
      const got = arrayAt((turns[at]?.body ?? {}) as JsonObject, "input") ?? []
      for (const [index, item] of withoutIds(body).entries()) {
        const { content: _, ...rest } = item
        expect(got[index]).toEqual(item["type"] === "reasoning" ? rest : item)
      }
    }
  })

  test("share one cache key and session, and the first input is the head of the second", () => {
    const [first, second] = turns.map(turn => turn.body as JsonObject)
    const key = first?.["prompt_cache_key"]
    expect(key).toMatch(/^[0-9a-f-]{36}$/)
    expect(second?.["prompt_cache_key"]).toBe(key as string)
    expect(turns.map(turn => turn.headers["session-id"])).toEqual([key as string, key as string])
    const head = arrayAt(first ?? {}, "input") ?? []
    expect((arrayAt(second ?? {}, "input") ?? []).slice(0, head.length)).toEqual([...head])
    const prefix = ["instructions", "tools"].map(member => [first?.[member], second?.[member]])
    for (const [before, after] of prefix) expect(JSON.stringify(after)).toBe(JSON.stringify(before))
  })
})
