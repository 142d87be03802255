// Runs one operation of the Vercel AI SDK with `ollama-ai-provider-v2` and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port); arguments: the operation's name, and what it needs.
import { join } from "node:path"

const modules = join(process.env.CLIENTS, "node_modules")
const { createOllama } = await import(join(modules, "ollama-ai-provider-v2/dist/index.mjs"))
const { generateText, isStepCount, jsonSchema, Output, streamText, tool } = await import(
  join(modules, "ai/dist/index.js")
)

const model = createOllama({ baseURL: `${process.env.BASE}/api` })("gpt-5.5")
const city = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] })
const weather = tool({ description: "Weather of a city", inputSchema: city, execute: () => "sunny in the test" })
const calling = {
  model,
  prompt: "Please call the weather tool",
  tools: { weather },
  stopWhen: isStepCount(3),
  maxRetries: 0,
}

const operations = {
  generate: async () => {
    const { text, finishReason, usage } = await generateText({ model, prompt: "Say hello", maxRetries: 0 })
    return { text, finishReason, usage }
  },
  stream: async () => {
    const answer = streamText({ model, prompt: "Say hello", maxRetries: 0 })
    const pieces = []
    for await (const piece of answer.textStream) pieces.push(piece)
    return { count: pieces.length, text: pieces.join(""), finishReason: await answer.finishReason }
  },
  tools: async () => {
    const { text, steps } = await generateText(calling)
    return { text, steps: steps.length }
  },
  "tools.stream": async () => {
    const answer = streamText(calling)
    const pieces = []
    for await (const piece of answer.textStream) pieces.push(piece)
    return { text: pieces.join(""), steps: (await answer.steps).length }
  },
  image: async () => {
    const picture = { type: "file", mediaType: "image/png", data: process.argv[3] }
    const content = [{ type: "text", text: "See" }, picture]
    const { text } = await generateText({ model, messages: [{ role: "user", content }], maxRetries: 0 })
    return { text }
  },
  object: async () => {
    const { output } = await generateText({ model, prompt: "A city", output: Output.object({ schema: city }) })
    return output
  },
}

const operation = operations[process.argv[2]]
if (operation === undefined) throw new Error(`no operation named ${process.argv[2]}`)
console.log(JSON.stringify(await operation()))
