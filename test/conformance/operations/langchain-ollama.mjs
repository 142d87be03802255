// Runs one operation of `@langchain/ollama` and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port); argument: the operation's name.
import { join } from "node:path"

const modules = join(process.env.CLIENTS, "node_modules")
const { ChatOllama } = await import(join(modules, "@langchain/ollama/dist/index.js"))
const { ToolMessage } = await import(join(modules, "@langchain/core/dist/messages/index.js"))

const client = new ChatOllama({ baseUrl: process.env.BASE, model: "gpt-5.5", maxRetries: 0 })
const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const tools = [{ type: "function", function: { name: "weather", description: "Weather of a city", parameters: city } }]

const operations = {
  invoke: async () => {
    const { content, usage_metadata: usage, response_metadata: about } = await client.invoke("Say hello")
    return { content, usage, reason: about.done_reason }
  },
  stream: async () => {
    const chunks = []
    for await (const chunk of await client.stream("Say hello")) chunks.push(chunk.content)
    return { count: chunks.length, content: chunks.join("") }
  },
  tools: async () => {
    const bound = client.bindTools(tools)
    const question = { role: "user", content: "Please call the weather tool" }
    const first = await bound.invoke([question])
    const [call] = first.tool_calls
    const answer = new ToolMessage({ content: "sunny in the test", tool_call_id: call.id, name: call.name })
    const second = await bound.invoke([question, first, answer])
    return { call, text: second.content }
  },
  structured: () => client.withStructuredOutput(city, { method: "jsonSchema" }).invoke("A city"),
}

const operation = operations[process.argv[2]]
if (operation === undefined) throw new Error(`no operation named ${process.argv[2]}`)
console.log(JSON.stringify(await operation()))
