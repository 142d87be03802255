/** Pictures over the wire: drawn, watched, edited, counted, refused, and repaired like any turn. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { type OpenedPng, readPng } from "../support/read-png.ts"
import { readEvents } from "../support/sse.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, startOwnGateway } from "./fixture.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2 })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const
const prompt = `${PROMPT_MARK} on a windowsill`
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
)
const PIXEL_URL = `data:image/png;base64,${PIXEL.toString("base64")}`

const picturesOf = (body: JsonObject) => (arrayAt(body, "data") ?? []).filter(isJsonObject)
const openB64 = (entry: JsonObject | undefined): OpenedPng =>
  readPng(Buffer.from(stringAt(entry ?? {}, "b64_json") ?? "", "base64"))

/** The last turn the upstream has got. */
function sentBody(): JsonObject {
  const body = gateway.turns().at(-1)?.body ?? {}
  return isJsonObject(body) ? body : {}
}

/** Its image tool. */
function sentTool(): JsonObject {
  return (arrayAt(sentBody(), "tools") ?? []).filter(isJsonObject)[0] ?? {}
}

function form(fields: Readonly<Record<string, string | Blob>>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  return data
}

async function postForm(path: string, data: FormData) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}` },
    body: data,
  })
  const text = await response.text()
  return { status: response.status, text, json: () => JSON.parse(text) as JsonObject }
}

describe("generations", () => {
  test.each(PREFIXES)("under %p give a picture that opens", async prefix => {
    const reply = await gateway.post(`${prefix}/images/generations`, { model: "gpt-image-2", prompt, quality: "low" })
    expect(reply.status).toBe(200)
    expect(reply.json()).toMatchObject({
      created: expect.any(Number),
      output_format: "png",
      usage: { total_tokens: 286, input_tokens_details: { text_tokens: 14 } },
    })
    const [picture] = picturesOf(reply.json())
    expect(openB64(picture)).toMatchObject({ width: 1, height: 1 })
    expect(stringAt(picture ?? {}, "revised_prompt")).toBe("A single simulated pixel.")
  })

  test("hand every option on, and leave the drawing to a small text model that must use the tool", async () => {
    const options = {
      size: "1024x1536",
      background: "opaque",
      output_format: "webp",
      output_compression: 80,
      moderation: "low",
    }
    const body = { prompt, quality: "hd", model: "dall-e-3", style: "vivid", user: "someone", ...options }
    expect((await gateway.post("/v1/images/generations", body)).status).toBe(200)
    expect(sentTool()).toEqual({ type: "image_generation", model: "gpt-image-2", quality: "high", ...options })
    expect(gateway.turns().at(-1)?.body).toMatchObject({
      model: expect.stringMatching(/luna|mini/),
      tool_choice: { type: "image_generation" },
    })
  })

  test("as data URLs for clients that ask for URLs", async () => {
    const reply = await gateway.post("/v1/images/generations", { prompt, response_format: "url" })
    const [picture] = picturesOf(reply.json())
    expect(stringAt(picture ?? {}, "url")).toBe(PIXEL_URL)
  })

  test("several pictures are several turns, joined, and their cost is the sum", async () => {
    gateway.control.clearRecorded()
    const reply = await gateway.post("/v1/images/generations", { prompt, n: 3 })
    expect(picturesOf(reply.json()).map(entry => openB64(entry).width)).toEqual([1, 1, 1])
    expect(objectAt(reply.json(), "usage")).toMatchObject({
      total_tokens: 858,
      input_tokens_details: { text_tokens: 42 },
    })
    expect(gateway.turns()).toHaveLength(3)
  })

  test("a stream shows the picture on its way, then whole, and has no [DONE]", async () => {
    const reply = await gateway.post("/v1/images/generations", { prompt, stream: true, partial_images: 2 })
    expect(reply.headers.get("content-type")).toStartWith("text/event-stream")
    const events = readEvents(reply.text)
    expect(events.map(({ event }) => event)).toEqual([
      "image_generation.partial_image",
      "image_generation.partial_image",
      "image_generation.completed",
    ])
    const bodies = events.map(({ data }) => JSON.parse(data) as JsonObject)
    for (const body of bodies) expect(openB64(body)).toMatchObject({ width: 1, height: 1 })
    expect(bodies.map(body => body["partial_image_index"])).toEqual([0, 1, undefined])
    expect(bodies[2]).toMatchObject({
      type: "image_generation.completed",
      size: "1024x1024",
      usage: { total_tokens: 286 },
    })
  })

  test("are repaired on another account", async () => {
    gateway.control.clearRecorded()
    gateway.control.script({ scenario: "server-error", times: 1 })
    expect((await gateway.post("/v1/images/generations", { prompt })).status).toBe(200)
    expect(gateway.turns()).toHaveLength(2)
  })
})

describe("edits", () => {
  test("as a form: pictures and mask go to the tool", async () => {
    const data = form({ prompt, model: "gpt-image-2", n: "1", quality: "low", mask: new Blob([PIXEL]) })
    data.append("image[]", new Blob([PIXEL]), "one.bin")
    data.append("image[]", new Blob([PIXEL], { type: "image/png" }), "two.png")
    const reply = await postForm("/v1/images/edits", data)
    expect(reply.status).toBe(200)
    expect(openB64(picturesOf(reply.json())[0])).toMatchObject({ width: 1 })
    expect(sentTool()).toMatchObject({ action: "edit", input_image_mask: { image_url: PIXEL_URL } })
    const [message] = (arrayAt(sentBody(), "input") ?? []).filter(isJsonObject)
    expect((arrayAt(message ?? {}, "content") ?? []).filter(isJsonObject).map(part => part["image_url"])).toEqual([
      undefined,
      PIXEL_URL,
      PIXEL_URL,
    ])
  })

  test("as JSON, and as a stream under their own names", async () => {
    const body = { prompt, images: [{ image_url: PIXEL_URL }], stream: true, partial_images: 1 }
    const reply = await gateway.post("/v1/images/edits", body)
    expect(readEvents(reply.text).map(({ event }) => event)).toEqual([
      "image_edit.partial_image",
      "image_edit.completed",
    ])
  })

  test.each([
    ["no picture", form({ prompt }), "image"],
    ["something else than a picture", form({ prompt, image: new Blob(["plain text"]) }), "image"],
    ["words for a number", form({ prompt, image: new Blob([PIXEL]), n: "many" }), "n"],
  ])("with %s are refused", async (_, data, param) => {
    const reply = await postForm("/v1/images/edits", data)
    expect(reply.status).toBe(400)
    expect(reply.json()["error"]).toMatchObject({ type: "invalid_request_error", param })
  })

  test("a file's id, and a form that is none, are refused", async () => {
    const byId = await gateway.post("/v1/images/edits", { prompt, images: [{ file_id: "file-1" }] })
    expect([byId.status, byId.json()["error"]]).toEqual([400, expect.objectContaining({ param: "images[0].file_id" })])
    const headers = { "content-type": "multipart/form-data; boundary=nowhere" }
    const broken = await gateway.post("/v1/images/edits", "half a form", headers)
    expect([broken.status, broken.json()["error"]]).toEqual([400, expect.objectContaining({ code: "invalid_form" })])
  })
})

describe("refused before anything is sent upstream", () => {
  const wrong: readonly (readonly [body: JsonObject, param: string])[] = [
    [{}, "prompt"],
    [{ prompt: " " }, "prompt"],
    [{ prompt: "x".repeat(32_001) }, "prompt"],
    [{ prompt, n: 11 }, "n"],
    [{ prompt, n: 2, stream: true }, "n"],
    [{ prompt, size: "1000x1000" }, "size"],
    [{ prompt, size: "4096x1024" }, "size"],
    [{ prompt, size: "huge" }, "size"],
    [{ prompt, quality: "best" }, "quality"],
    [{ prompt, output_format: "bmp" }, "output_format"],
    [{ prompt, output_format: "jpeg", background: "transparent" }, "background"],
    [{ prompt, output_compression: 50 }, "output_compression"],
    [{ prompt, partial_images: 4 }, "partial_images"],
    [{ prompt, model: "gpt-5.5" }, "model"],
  ]
  test.each(wrong.map(([body, param], index) => ({ index, body, param })))(
    "$index: $param",
    async ({ body, param }) => {
      gateway.control.clearRecorded()
      const reply = await gateway.post("/v1/images/generations", body)
      expect([reply.status, reply.json()["error"]]).toEqual([400, expect.objectContaining({ param })])
      expect(gateway.turns()).toHaveLength(0)
    },
  )

  test("a model that only draws, asked to chat", async () => {
    const reply = await gateway.post("/v1/responses", { model: "gpt-image-2", input: prompt })
    expect(reply.status).toBe(400)
    expect(stringAt(objectAt(reply.json(), "error") ?? {}, "message")).toContain("/v1/images/generations")
  })
})

describe("no picture", () => {
  test("what the model said instead is told", async () => {
    gateway.control.script({ settings: { sequence: "text", text: "I would rather write." }, times: 1 })
    const reply = await gateway.post("/v1/images/generations", { prompt })
    expect(reply.status).toBe(502)
    expect(reply.json()["error"]).toMatchObject({ code: "image_generation_failed", type: "server_error" })
    expect(reply.text).toContain("I would rather write.")
  })

  test("a refusal is the request's fault, in a stream too", async () => {
    gateway.control.script({ settings: { sequence: "refusal" }, times: 2 })
    const whole = await gateway.post("/v1/images/generations", { prompt })
    expect([whole.status, whole.json()["error"]]).toEqual([
      400,
      expect.objectContaining({ code: "moderation_blocked" }),
    ])
    const streamed = await gateway.post("/v1/images/generations", { prompt, stream: true })
    const last = readEvents(streamed.text).at(-1)
    expect(last?.event).toBe("error")
    expect(JSON.parse(last?.data ?? "{}")).toMatchObject({ error: { code: "moderation_blocked" } })
  })
})

describe("plans", () => {
  test("accounts of the free plan are passed over", async () => {
    await using own = await startOwnGateway({
      accounts: 0,
      prepare: async (folder, control) => {
        for (const name of ["account-1", "account-2", "account-3", "account-4"]) {
          control.createAccount({ name, plan: name === "account-3" ? "plus" : "free" })
          await Bun.write(`${folder}/auths/${name}.json`, JSON.stringify(control.accountFile(name)))
        }
      },
    })
    for (let index = 0; index < 6; index += 1)
      expect((await own.post("/v1/images/generations", { prompt })).status).toBe(200)
    expect(new Set(own.turns().map(({ account }) => account))).toEqual(new Set(["account-3"]))
  })

  test("with none but free ones the answer says what is missing", async () => {
    await using own = await startOwnGateway({
      accounts: 0,
      prepare: async (folder, control) => {
        control.createAccount({ name: "account-1", plan: "free" })
        await Bun.write(`${folder}/auths/account-1.json`, JSON.stringify(control.accountFile("account-1")))
      },
    })
    const reply = await own.post("/v1/images/generations", { prompt })
    expect(reply.status).toBe(503)
    expect(reply.json()["error"]).toMatchObject({ code: "image_plan_required" })
    expect(own.turns()).toHaveLength(0)
  })
})

test("the tool is left alone in Responses and gives a picture in Chat", async () => {
  const tools = [{ type: "image_generation", quality: "low" }]
  const native = await gateway.post("/v1/responses", { model: "gpt-5.5", input: `${PROMPT_MARK} draw a lamp`, tools })
  const items = (arrayAt(native.json(), "output") ?? []).filter(isJsonObject)
  expect(items.find(item => item["type"] === "image_generation_call")).toMatchObject({
    result: PIXEL.toString("base64"),
  })
  expect(sentTool()).toEqual({ type: "image_generation", quality: "low" })
  const messages = [{ role: "user", content: `${PROMPT_MARK} draw a lamp` }]
  const chat = await gateway.post("/v1/chat/completions", { model: "gpt-5.5", messages, tools })
  expect(chat.status).toBe(200)
  expect(chat.text).toContain(PIXEL_URL)
})
