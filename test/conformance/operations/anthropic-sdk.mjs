// Runs one operation of the official `@anthropic-ai/sdk` package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port), KEY; arguments: the operation's name, and what it needs.
import { join } from "node:path"

const from = path => import(join(process.env.CLIENTS, "node_modules", path))
const { default: Anthropic } = await from("@anthropic-ai/sdk/index.mjs")
const { betaZodTool } = await from("@anthropic-ai/sdk/helpers/beta/zod.mjs")
const { zodOutputFormat } = await from("@anthropic-ai/sdk/helpers/zod.mjs")
const { z } = await from("zod/index.js")

const retries = Number(process.env.RETRIES ?? 0)
const client = new Anthropic({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: retries })
const model = "claude-sonnet-4-5"
const user = content => [{ role: "user", content }]
const ask = (prompt, more = {}) => ({ model, max_tokens: 1000, messages: user(prompt), ...more })
const City = z.object({ city: z.string(), population: z.number() })
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
// Every tool a simulated scenario may call.
const tools = [
  { name: "weather", description: "Weather of a city", input_schema: weather },
  { name: "patch", input_schema: { type: "object", properties: { input: { type: "string" } } } },
]

const plain = error => ({
  name: error.constructor.name,
  status: error.status,
  type: error.type,
  message: error.message,
  requestId: error.requestID,
})

async function streamed(params) {
  const stream = client.messages.stream(params)
  const types = []
  let text = ""
  stream.on("streamEvent", event => types.push(event.type))
  stream.on("text", delta => {
    text += delta
  })
  const final = await stream.finalMessage()
  return { types: [...new Set(types)], text, final, requestId: stream.request_id }
}

const weatherTool = calls =>
  betaZodTool({
    name: "weather",
    description: "Weather of a city",
    inputSchema: z.object({ city: z.string() }),
    run: input => {
      calls.push(input)
      return "sunny in the test"
    },
  })

const operations = {
  create: async () => {
    const { data, request_id } = await client.messages.create(ask("Say hello")).withResponse()
    return { message: data, requestId: request_id }
  },
  stream: () => streamed(ask("Say hello", { thinking: { type: "adaptive" } })),
  toolRunner: async () => {
    const calls = []
    const runner = client.beta.messages.toolRunner({
      ...ask("Please call the weather tool"),
      tools: [weatherTool(calls)],
    })
    const final = await runner.runUntilDone()
    return { calls, final, messages: runner.params.messages.map(message => message.role) }
  },
  "toolRunner.stream": async () => {
    const calls = []
    const params = { ...ask("Please call the weather tool"), tools: [weatherTool(calls)], stream: true }
    const runner = client.beta.messages.toolRunner(params)
    const texts = []
    for await (const stream of runner) texts.push((await stream.finalMessage()).stop_reason)
    return { calls, texts }
  },
  countTokens: () => client.messages.countTokens({ model, messages: user("Say hello") }),
  "models.list": async () => {
    const ids = []
    for await (const entry of client.models.list({ limit: 3 })) ids.push(entry.id)
    return { ids }
  },
  "models.retrieve": () => client.models.retrieve("claude-opus-4-5"),
  parse: async () => {
    const message = await client.messages.parse(
      ask("Name a city", { output_config: { format: zodOutputFormat(City) } }),
    )
    return { parsed: message.parsed_output, stop: message.stop_reason }
  },
  thinking: async () => {
    const thinking = { type: "enabled", budget_tokens: 9000 }
    const first = await client.messages.create(ask("Please call the weather tool", { thinking, tools }))
    const call = first.content.find(block => block.type === "tool_use")
    const result = { type: "tool_result", tool_use_id: call.id, content: "sunny in the test" }
    const messages = [
      ...user("Please call the weather tool"),
      { role: "assistant", content: first.content },
      ...user([result]),
    ]
    const second = await client.messages.create({ ...ask(""), thinking, tools, messages })
    return { first, second }
  },
  image: async () => {
    const data = process.argv[3]
    const source = { type: "base64", media_type: "image/jpeg", data }
    return client.messages.create(
      ask([
        { type: "image", source },
        { type: "text", text: "Say what you see" },
      ]),
    )
  },
  // Each prompt streamed and whole, with all tools on offer.
  ways: async () => {
    const results = []
    for (const prompt of JSON.parse(process.argv[3])) {
      const params = ask(prompt, { tools, thinking: { type: "adaptive" } })
      const ways = { stream: async () => (await streamed(params)).final, json: () => client.messages.create(params) }
      for (const [way, run] of Object.entries(ways)) {
        try {
          const message = await run()
          results.push({ prompt, way, message })
        } catch (error) {
          results.push({ prompt, way, error: plain(error) })
        }
      }
    }
    return results
  },
  // One prompt, streamed, until it is answered or given up.
  once: async () => {
    try {
      return { final: (await streamed(ask(process.argv[3]))).final }
    } catch (error) {
      return { error: plain(error) }
    }
  },
}

console.log(JSON.stringify(await operations[process.argv[2]]()))
process.exit(0)
