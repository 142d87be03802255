// Runs one operation of the official `openai` package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port/v1), KEY; arguments: the operation's name, and what it needs.
import { join } from "node:path"

const from = path => import(join(process.env.CLIENTS, "node_modules", path))
const { default: OpenAI } = await from("openai/index.mjs")
const { zodResponseFormat, zodTextFormat } = await from("openai/helpers/zod.mjs")
const { z } = await from("zod/index.js")

const client = new OpenAI({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 })
const model = "gpt-5.5"
const user = content => [{ role: "user", content }]
const City = z.object({ city: z.string(), population: z.number() })
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }

// Every tool a simulated scenario may call, in each dialect's own shape.
const chatTools = [
  { type: "function", function: { name: "weather", parameters: weather } },
  { type: "custom", custom: { name: "patch" } },
]
const responsesTools = [
  { type: "function", name: "weather", parameters: weather, strict: false },
  { type: "custom", name: "patch" },
]

// All four ways of asking, each through the SDK's own helper.
const ways = {
  "chat stream": async prompt => {
    const stream = client.chat.completions.stream({
      model,
      messages: user(prompt),
      tools: chatTools,
      stream_options: { include_usage: true },
    })
    const final = await stream.finalChatCompletion()
    return { finish: final.choices[0].finish_reason, message: final.choices[0].message }
  },
  "chat json": async prompt => {
    const final = await client.chat.completions.create({ model, messages: user(prompt), tools: chatTools })
    return { finish: final.choices[0].finish_reason, message: final.choices[0].message }
  },
  "responses stream": async prompt => {
    const stream = client.responses.stream({ model, input: user(prompt), tools: responsesTools })
    const final = await stream.finalResponse()
    return { status: final.status, output: final.output, text: final.output_text }
  },
  "responses json": async prompt => {
    const final = await client.responses.create({ model, input: user(prompt), tools: responsesTools })
    return { status: final.status, output: final.output, text: final.output_text }
  },
}

const imageHead = image => ({ head: image.b64_json?.slice(0, 12), look: [image.size, image.output_format] })
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

const operations = {
  "completions.create": () => client.completions.create({ model, prompt: "Say hello", max_tokens: 50 }),
  "completions.stream": async () => {
    const stream = await client.completions.create({ model, prompt: "Say hello", stream: true })
    const choices = []
    for await (const chunk of stream) choices.push(...chunk.choices)
    return { text: choices.map(choice => choice.text).join(""), finish: choices.at(-1).finish_reason }
  },
  "inputTokens.count": () => client.responses.inputTokens.count({ model, input: "Say hello" }),
  "images.generate": async () => {
    const { data, usage } = await client.images.generate({ model: "gpt-image-2", prompt: "A lamp", n: 2 })
    return { images: data.map(imageHead), usage }
  },
  "images.edit": async () => {
    const image = await OpenAI.toFile(Buffer.from(pixel, "base64"), "lamp.png", { type: "image/png" })
    const { data } = await client.images.edit({ model: "gpt-image-2", prompt: "Another lamp", image, quality: "low" })
    return data.map(imageHead)
  },
  "images.stream": async () => {
    const stream = await client.images.generate({ prompt: "A lamp", stream: true, partial_images: 1 })
    const events = []
    for await (const event of stream) events.push({ type: event.type, ...imageHead(event) })
    return events
  },
  "responses.continued": async () => {
    const first = await client.responses.create({ model, input: "Say hello" })
    const second = await client.responses.create({ model, input: "And now?", previous_response_id: first.id })
    const items = []
    for await (const item of client.responses.inputItems.list(second.id)) items.push(item.role ?? item.type)
    const again = await client.responses.retrieve(second.id)
    await client.responses.delete(second.id)
    const gone = await client.responses.retrieve(second.id).catch(error => error)
    return { text: second.output_text, same: again.output_text === second.output_text, items, gone: gone.status }
  },
  "responses.ws": async () => {
    const { ResponsesWS } = await from("openai/resources/responses/ws.mjs")
    const socket = new ResponsesWS(client)
    const events = []
    const ended = () =>
      new Promise((resolve, reject) => {
        socket.on("event", event => {
          events.push(event.type)
          if (event.type === "response.completed") resolve(event.response)
        })
        socket.on("error", reject)
      })
    const first = ended()
    socket.send({ type: "response.create", model, input: "The word is marmalade." })
    const { id } = await first
    const second = ended()
    socket.send({ type: "response.create", model, input: "Say the word", previous_response_id: id })
    const { output } = await second
    socket.close()
    return { text: output.at(-1).content[0].text, deltas: events.includes("response.output_text.delta") }
  },
  "embeddings.create": async () => {
    const failure = await client.embeddings.create({ model, input: "x" }).catch(error => error)
    return { name: failure.constructor.name, status: failure.status, code: failure.code, message: failure.message }
  },
  "chat.create": () =>
    client.chat.completions.create({ model, messages: user("Say hello"), temperature: 0, max_tokens: 50 }),
  "chat.stream": async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: user("Say hello"),
      stream_options: { include_usage: true },
    })
    let text = ""
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ""
    return { text, final: await stream.finalChatCompletion(), usage: await stream.totalUsage() }
  },
  "chat.parse": () =>
    client.chat.completions.parse({
      model,
      messages: user("Which city?"),
      response_format: zodResponseFormat(City, "city"),
    }),
  "chat.runTools": async () => {
    const calls = []
    const runner = client.chat.completions.runTools({
      model,
      messages: user("Please call the tool weather for Paris"),
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Tells the weather",
            parameters: weather,
            parse: JSON.parse,
            function: args => {
              calls.push(args)
              return "sunny in the test"
            },
          },
        },
      ],
    })
    return { text: await runner.finalContent(), calls, messages: runner.messages.map(message => message.role) }
  },
  "chat.reasoning": async () => {
    const stream = await client.chat.completions.create({
      model: `${model}-high`,
      messages: user("[[simulate: reasoning]] think"),
      stream: true,
    })
    let reasoning = ""
    let text = ""
    for await (const chunk of stream) {
      reasoning += chunk.choices[0]?.delta?.reasoning_content ?? ""
      text += chunk.choices[0]?.delta?.content ?? ""
    }
    return { reasoning, text }
  },
  "responses.create": () => client.responses.create({ model, input: "Say hello", max_output_tokens: 50 }),
  "responses.stream": async () => {
    const stream = client.responses.stream({ model, input: "Say hello" })
    const types = []
    for await (const event of stream) types.push(event.type)
    const final = await stream.finalResponse()
    return { types, final, text: final.output_text }
  },
  "responses.parse": () =>
    client.responses.parse({ model, input: "Which city?", text: { format: zodTextFormat(City, "city") } }),
  "responses.tools": async () => {
    const tools = [{ type: "function", name: "weather", parameters: weather, strict: false }]
    const input = [{ role: "user", content: "Please call the tool weather for Paris" }]
    const first = await client.responses.create({ model, input, tools })
    const call = first.output.find(item => item.type === "function_call")
    input.push(...first.output, { type: "function_call_output", call_id: call.call_id, output: "sunny in the test" })
    const second = await client.responses.create({ model, input, tools })
    return { call, text: second.output_text }
  },
  // Takes a JSON list of prompts; answers what each way came to for each of them.
  ways: async prompts => {
    const results = []
    for (const prompt of JSON.parse(prompts)) {
      for (const [way, ask] of Object.entries(ways))
        results.push({ prompt, way, ...(await ask(prompt).catch(describeError)) })
    }
    return results
  },
  "models.list": async () => ({ ids: (await client.models.list()).data.map(entry => entry.id) }),
  "models.retrieve": () => client.models.retrieve(model),
  "error.model": () => client.chat.completions.create({ model: "no-such-model", messages: user("hi") }),
  "error.key": () => new OpenAI({ baseURL: process.env.BASE, apiKey: "wrong", maxRetries: 0 }).models.list(),
  "error.cut": async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: user("[[simulate: reset cut-after-events=40 event-delay-ms=5 words=200]] long answer please"),
      stream: true,
    })
    let text = ""
    try {
      for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ""
    } catch (error) {
      return { text, thrown: error.constructor.name, message: String(error.message) }
    }
    return { text, thrown: null }
  },
}

const describeError = error => ({
  error: {
    name: error.constructor.name,
    message: error.message,
    status: error.status,
    code: error.code,
    type: error.type,
    param: error.param,
    requestId: error.requestID,
  },
})
const [, , operation, ...operands] = process.argv
const result = await operations[operation](...operands).catch(describeError)
console.log(JSON.stringify(result))
