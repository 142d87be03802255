// Runs one operation of the official `ollama` package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port); arguments: the operation's name, and what it needs.
import { join } from "node:path"

const { Ollama } = await import(join(process.env.CLIENTS, "node_modules/ollama/dist/index.mjs"))

const client = new Ollama({ host: process.env.BASE })
const model = "gpt-5.5:latest"
const user = (content, more = {}) => ({ role: "user", content, ...more })
const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const tools = [{ type: "function", function: { name: "weather", description: "Weather of a city", parameters: city } }]

const plain = error => ({ name: error.name, status: error.status_code, message: error.message })
const refused = async run => {
  try {
    return await run()
  } catch (error) {
    return plain(error)
  }
}

async function streamed(params, onPart = () => {}) {
  const parts = []
  try {
    for await (const part of await client.chat({ model, stream: true, ...params })) {
      parts.push(part)
      onPart(parts)
    }
    return { parts }
  } catch (error) {
    return { parts, error: plain(error) }
  }
}

const joined = (parts, name) => parts.map(part => part.message[name] ?? "").join("")

const operations = {
  chat: () => client.chat({ model, messages: [user("Say hello")] }),
  "chat.stream": async () => {
    const { parts, error } = await streamed({ messages: [user("Say hello")] })
    const [first, last] = [parts[0], parts.at(-1)]
    return {
      error,
      count: parts.length,
      first,
      last,
      content: joined(parts, "content"),
      thinking: joined(parts, "thinking"),
    }
  },
  "chat.unthinking": () => client.chat({ model, think: false, messages: [user("Say hello")] }),
  // As the package's own example does it: calls are taken from the parts, and the texts are put together.
  "chat.tools": async () => {
    const messages = [user("Please call the weather tool")]
    const { parts } = await streamed({ messages, tools })
    const tool_calls = parts.flatMap(part => part.message.tool_calls ?? [])
    messages.push({
      role: "assistant",
      content: joined(parts, "content"),
      thinking: joined(parts, "thinking"),
      tool_calls,
    })
    messages.push({ role: "tool", tool_name: "weather", content: "sunny in the test" })
    const last = await client.chat({ model, messages, tools })
    return { tool_calls, text: last.message.content }
  },
  "chat.image": () =>
    client.chat({ model, messages: [user("See", { images: [Buffer.from(process.argv[3], "base64")] })] }),
  "chat.format": async () => {
    const properties = { city: { type: "string" }, population: { type: "integer" } }
    const format = { type: "object", properties, required: ["city", "population"] }
    const answer = await client.chat({ model, format, messages: [user("A city")] })
    return JSON.parse(answer.message.content)
  },
  "chat.stop": () =>
    client.chat({ model, think: false, options: { stop: ["simulator"] }, messages: [user("Say hello")] }),
  "chat.load": () => client.chat({ model, messages: [] }),
  "chat.unknown": () => refused(() => client.chat({ model: "nope:7b", messages: [user("x")] })),
  "chat.broken": () => streamed({ messages: [user("Say hello")] }),
  "chat.abort": () => streamed({ messages: [user("Say hello")] }, parts => parts.length === 2 && client.abort()),
  generate: () => client.generate({ model, prompt: "Say hello", system: "Be brief." }),
  "generate.stream": async () => {
    const parts = []
    for await (const part of await client.generate({ model, prompt: "Say hello", stream: true })) parts.push(part)
    return { response: parts.map(part => part.response).join(""), last: parts.at(-1) }
  },
  "generate.unload": () => client.generate({ model, prompt: "", keep_alive: 0 }),
  list: () => client.list(),
  show: () => client.show({ model }),
  ps: () => client.ps(),
  version: () => client.version(),
  pull: async () => {
    const steps = []
    for await (const step of await client.pull({ model, stream: true })) steps.push(step)
    return { steps, whole: await client.pull({ model }) }
  },
  refusals: async () => ({
    pull: await refused(() => client.pull({ model: "nope:7b" })),
    push: await refused(() => client.push({ model })),
    create: await refused(() => client.create({ model: "mine", from: model })),
    copy: await refused(() => client.copy({ source: model, destination: "mine" })),
    delete: await refused(() => client.delete({ model })),
    embed: await refused(() => client.embed({ model, input: "x" })),
    embeddings: await refused(() => client.embeddings({ model, prompt: "x" })),
  }),
}

const operation = operations[process.argv[2]]
if (operation === undefined) throw new Error(`no operation named ${process.argv[2]}`)
console.log(JSON.stringify(await operation()))
