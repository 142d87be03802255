// Runs one operation of the official `@google/genai` package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), BASE (http://host:port), KEY; arguments: the operation's name, and what it needs.
import { join } from "node:path"

const { GoogleGenAI } = await import(join(process.env.CLIENTS, "node_modules/@google/genai/dist/node/index.mjs"))

const client = new GoogleGenAI({ apiKey: process.env.KEY, httpOptions: { baseUrl: process.env.BASE } })
const model = "gemini-2.5-flash"
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
// Every tool a simulated scenario may call.
const tools = [
  { functionDeclarations: [{ name: "weather", description: "Weather of a city", parametersJsonSchema: weather }] },
]

const plain = error => ({ name: error.constructor.name, status: error.status, message: error.message })

async function streamed(params) {
  const chunks = []
  try {
    for await (const chunk of await client.models.generateContentStream(params)) chunks.push(chunk)
    return { chunks }
  } catch (error) {
    return { chunks, error: plain(error) }
  }
}

const operations = {
  generate: () => client.models.generateContent({ model, contents: "Say hello" }),
  stream: () => streamed({ model, contents: "Say hello", config: { thinkingConfig: { includeThoughts: true } } }),
  chat: async () => {
    const chat = client.chats.create({ model, config: { tools, thinkingConfig: { thinkingLevel: "HIGH" } } })
    const first = await chat.sendMessage({ message: "Please call the weather tool" })
    const [call] = first.functionCalls ?? []
    const response = { name: call?.name, id: call?.id, response: { output: "sunny in the test" } }
    const second = await chat.sendMessage({ message: [{ functionResponse: response }] })
    return { call, text: second.text, history: chat.getHistory().length }
  },
  "chat.stream": async () => {
    const chat = client.chats.create({ model })
    for await (const chunk of await chat.sendMessageStream({ message: "Say hello" })) void chunk
    const second = await chat.sendMessage({ message: "Say hello again" })
    return { text: second.text, history: chat.getHistory().map(content => content.role) }
  },
  image: () => {
    const inlineData = { mimeType: "image/jpeg", data: process.argv[3] }
    return client.models.generateContent({
      model,
      contents: [{ role: "user", parts: [{ inlineData }, { text: "See" }] }],
    })
  },
  schema: async () => {
    const properties = { city: { type: "STRING" }, population: { type: "INTEGER" } }
    const responseSchema = { type: "OBJECT", properties, required: ["city", "population"] }
    const config = { responseMimeType: "application/json", responseSchema }
    const answer = await client.models.generateContent({ model, contents: "A city", config })
    return { parsed: JSON.parse(answer.text), reason: answer.candidates[0].finishReason }
  },
  countTokens: () => client.models.countTokens({ model, contents: "Say hello" }),
  "models.list": async () => {
    const names = []
    const pager = await client.models.list({ config: { pageSize: 3 } })
    for await (const entry of pager) names.push(entry.name)
    return { names }
  },
  "models.get": () => client.models.get({ model }),
  embed: async () => {
    try {
      return await client.models.embedContent({ model: "gemini-embedding-001", contents: "Say hello" })
    } catch (error) {
      return plain(error)
    }
  },
  failing: async () => {
    try {
      return await client.models.generateContent({ model, contents: "Say hello" })
    } catch (error) {
      return plain(error)
    }
  },
}

const operation = operations[process.argv[2]]
if (operation === undefined) throw new Error(`no operation named ${process.argv[2]}`)
console.log(JSON.stringify(await operation()))
