// Runs one operation of OpenAI's agents package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), ORIGIN (http://host:port), KEY; arguments: `chat` or `responses`, operation.
import { join } from "node:path"

const from = path => import(join(process.env.CLIENTS, "node_modules", path))
const agents = await from("@openai/agents/dist/index.js")
const { default: OpenAI } = await from("openai/index.mjs")
const { z } = await from("zod/index.js")

const [, , api, operation] = process.argv
agents.setDefaultOpenAIClient(
  new OpenAI({ baseURL: `${process.env.ORIGIN}/v1`, apiKey: process.env.KEY, maxRetries: 0 }),
)
agents.setOpenAIAPI(api === "chat" ? "chat_completions" : "responses")
agents.setTracingDisabled(true)

const model = "gpt-5.5"
const weather = agents.tool({
  name: "weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `21 degrees in ${city}`,
})

const operations = {
  run: async () => {
    const agent = new agents.Agent({ name: "Greeter", instructions: "Be brief.", model })
    const result = await agents.run(agent, "Say hello")
    return { text: result.finalOutput }
  },
  stream: async () => {
    const agent = new agents.Agent({ name: "Greeter", instructions: "Be brief.", model })
    const result = await agents.run(agent, "Say hello", { stream: true })
    let text = ""
    for await (const delta of result.toTextStream()) text += delta
    await result.completed
    return { text, same: text === result.finalOutput }
  },
  tools: async () => {
    const agent = new agents.Agent({ name: "Forecaster", instructions: "Use tools.", model, tools: [weather] })
    const result = await agents.run(agent, "Please use the tool weather, then answer.", { maxTurns: 4 })
    return { text: result.finalOutput, items: result.newItems.map(item => item.type) }
  },
  "tools streamed": async () => {
    const agent = new agents.Agent({ name: "Forecaster", instructions: "Use tools.", model, tools: [weather] })
    const result = await agents.run(agent, "Please use the tool weather, then answer.", { maxTurns: 4, stream: true })
    for await (const _ of result.toStream());
    await result.completed
    return { text: result.finalOutput, items: result.newItems.map(item => item.type) }
  },
  handoff: async () => {
    const second = new agents.Agent({ name: "Second", instructions: "Answer.", model, handoffDescription: "Answers" })
    const first = agents.Agent.create({ name: "First", instructions: "Hand off.", model, handoffs: [second] })
    const result = await agents.run(first, "Please use the tool transfer_to_Second, then answer.", { maxTurns: 4 })
    return { text: result.finalOutput, last: result.lastAgent?.name }
  },
  "continued by id": async () => {
    const agent = new agents.Agent({ name: "Greeter", instructions: "Be brief.", model })
    const first = await agents.run(agent, "The word is marmalade.")
    const second = await agents.run(agent, "Say the word", { previousResponseId: first.lastResponseId })
    return { text: second.finalOutput, isContinued: first.lastResponseId !== second.lastResponseId }
  },
  "over WebSocket": async () => {
    agents.setOpenAIResponsesTransport("websocket")
    const agent = new agents.Agent({ name: "Forecaster", instructions: "Use tools.", model, tools: [weather] })
    const result = await agents.run(agent, "Please use the tool weather, then answer.", { maxTurns: 4 })
    return { text: result.finalOutput, items: result.newItems.map(item => item.type) }
  },
  object: async () => {
    const outputType = z.object({ city: z.string(), population: z.number() })
    const agent = new agents.Agent({ name: "Namer", instructions: "Name a city.", model, outputType })
    return (await agents.run(agent, "A city")).finalOutput
  },
}

console.log(JSON.stringify(await operations[operation]()))
