import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { conformanceClients } from "../support/conformance-clients.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

let gateway: SimulatedGateway
let clients: string

beforeAll(async () => {
  clients = await conformanceClients()
  gateway = await startSimulatedGateway()
})

afterAll(() => gateway.stop())

/** Runs one operation of the SDK in a process of its own and returns what it printed. */
async function run(operation: string): Promise<unknown> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "operations/openai-sdk.mjs"), operation], {
    env: { PATH: "/usr/bin:/bin", HOME: gateway.folder, CLIENTS: clients, BASE: `${gateway.url}/v1`, KEY: gateway.key },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${operation} crashed: ${err}`)
  return JSON.parse(out)
}

describe("the official openai package", () => {
  test("chat.completions.create answers, although it sends parameters the upstream refuses", async () => {
    expect(await run("chat.create")).toMatchObject({
      object: "chat.completion",
      model: "gpt-5.5",
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          message: { role: "assistant", content: expect.stringContaining("Say hello") },
        },
      ],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
    })
  })

  test("chat.completions.stream accumulates to the same text, with usage", async () => {
    const result = await run("chat.stream")
    expect(result).toMatchObject({
      text: expect.stringContaining("Say hello"),
      final: { choices: [{ finish_reason: "stop" }] },
      usage: { total_tokens: expect.any(Number) },
    })
  })

  test("chat.completions.parse returns an object of the schema", async () => {
    expect(await run("chat.parse")).toMatchObject({
      choices: [{ message: { parsed: { city: expect.any(String), population: expect.any(Number) } } }],
    })
  })

  test("chat.completions.runTools makes one tool round", async () => {
    expect(await run("chat.runTools")).toMatchObject({
      calls: [{ city: expect.any(String) }],
      messages: ["user", "assistant", "tool", "assistant"],
      text: expect.stringContaining("sunny in the test"),
    })
  })

  test("reasoning arrives beside the content, asked for by a suffix of the model's name", async () => {
    const result = await run("chat.reasoning")
    expect(result).toMatchObject({ reasoning: expect.stringMatching(/\S/), text: expect.stringMatching(/\S/) })
    const [turn] = gateway.control.recorded({ path: "/backend-api/codex/responses" }).slice(-1)
    expect(turn?.body).toMatchObject({ model: "gpt-5.5", reasoning: { effort: "high" } })
  })

  test("responses.create returns text", async () => {
    expect(await run("responses.create")).toMatchObject({
      object: "response",
      status: "completed",
      output_text: expect.stringContaining("Say hello"),
    })
  })

  test("responses.stream passes the SDK's strict event checks", async () => {
    const result = await run("responses.stream")
    expect(result).toMatchObject({ text: expect.stringContaining("Say hello"), final: { status: "completed" } })
    expect(result).toMatchObject({
      types: expect.arrayContaining(["response.created", "response.output_text.delta", "response.completed"]),
    })
  })

  test("responses.parse returns an object of the schema", async () => {
    expect(await run("responses.parse")).toMatchObject({
      output_parsed: { city: expect.any(String), population: expect.any(Number) },
    })
  })

  test("a tool round over Responses returns the output items, reasoning included", async () => {
    expect(await run("responses.tools")).toMatchObject({
      call: { name: "weather", call_id: expect.any(String) },
      text: expect.stringContaining("sunny in the test"),
    })
  })

  test("completions.create answers, streamed and whole", async () => {
    expect(await run("completions.create")).toMatchObject({
      object: "text_completion",
      choices: [{ text: expect.stringContaining("Say hello"), finish_reason: "stop" }],
    })
    expect(await run("completions.stream")).toEqual({
      text: expect.stringContaining("Say hello"),
      finish: "stop",
    })
  })

  test("responses.inputTokens.count counts", async () => {
    expect(await run("inputTokens.count")).toEqual({
      object: "response.input_tokens",
      input_tokens: expect.any(Number),
    })
  })

  test("images.generate, edit and their stream bring pictures", async () => {
    const head = "iVBORw0KGgoA"
    expect(await run("images.generate")).toMatchObject({ images: [{ head }, { head }], usage: { total_tokens: 572 } })
    expect(await run("images.edit")).toMatchObject([{ head }])
    expect(await run("images.stream")).toEqual([
      { type: "image_generation.partial_image", head, look: ["1024x1024", "png"] },
      { type: "image_generation.completed", head, look: ["1024x1024", "png"] },
    ])
  })

  test("a response is continued by its id, listed, retrieved and deleted", async () => {
    expect(await run("responses.continued")).toEqual({
      text: expect.stringContaining("And now?"),
      same: true,
      items: ["user", "reasoning", "assistant", "user"],
      gone: 404,
    })
  })

  test("ResponsesWS asks twice on one socket, the second time with nothing but what is new", async () => {
    expect(await run("responses.ws")).toEqual({ text: expect.stringContaining("Say the word"), deltas: true })
  })

  test("embeddings.create is told what is missing", async () => {
    expect(await run("embeddings.create")).toMatchObject({
      name: "NotFoundError",
      status: 404,
      code: "unsupported_endpoint",
      message: expect.stringContaining("Embeddings are not available"),
    })
  })

  test("models are listed and retrieved", async () => {
    expect(await run("models.list")).toMatchObject({ ids: expect.arrayContaining(["gpt-5.5"]) })
    expect(await run("models.retrieve")).toMatchObject({ id: "gpt-5.5", object: "model", created: expect.any(Number) })
  })

  test("an unknown model and a wrong key are the SDK's own error classes", async () => {
    expect(await run("error.model")).toMatchObject({
      error: { name: "NotFoundError", status: 404, code: "model_not_found", param: "model" },
    })
    expect(await run("error.key")).toMatchObject({ error: { name: "AuthenticationError", status: 401 } })
  })

  test("an answer that is cut is thrown, never taken for whole", async () => {
    const result = await run("error.cut")
    expect(result).toMatchObject({ text: expect.stringMatching(/\S/), thrown: expect.any(String) })
  })
})
