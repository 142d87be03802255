// Runs one operation of LangChain's OpenAI package and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), ORIGIN (http://host:port), KEY; arguments: `chat` or `responses`, operation.
import { join } from "node:path"

const from = path => import(join(process.env.CLIENTS, "node_modules", path))
const { ChatOpenAI } = await from("@langchain/openai/dist/index.js")
const { AIMessage, HumanMessage, ToolMessage } = await from("@langchain/core/dist/messages/index.js")

const [, , api, operation] = process.argv
const model = new ChatOpenAI({
  model: "gpt-5.5",
  apiKey: process.env.KEY,
  configuration: { baseURL: `${process.env.ORIGIN}/v1` },
  useResponsesApi: api === "responses",
  streamUsage: true,
  maxRetries: 0,
})

const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}
const city = {
  title: "city",
  type: "object",
  properties: { city: { type: "string" }, population: { type: "number" } },
  required: ["city", "population"],
  additionalProperties: false,
}

const operations = {
  invoke: async () => {
    const answer = await model.invoke("Say hello")
    return { text: answer.text, usage: answer.usage_metadata }
  },
  stream: async () => {
    let whole
    for await (const chunk of await model.stream("Say hello")) whole = whole === undefined ? chunk : whole.concat(chunk)
    return { text: whole.text, usage: whole.usage_metadata }
  },
  tools: async () => {
    const bound = model.bindTools([weather])
    const question = new HumanMessage("Please use the tool weather, then answer.")
    const call = await bound.invoke([question])
    const results = call.tool_calls.map(
      ({ id, args }) => new ToolMessage({ tool_call_id: id, content: `21 degrees in ${args.city}` }),
    )
    const answer = await bound.invoke([question, call, ...results])
    return { calls: call.tool_calls.map(({ name, args }) => ({ name, args })), text: answer.text }
  },
  turns: async () => {
    const question = new HumanMessage("The word is marmalade.")
    const answer = await model.invoke([question])
    const again = await model.invoke([question, answer, new HumanMessage("Say the word")])
    return { text: again.text, wasAnswer: answer instanceof AIMessage }
  },
  object: () => model.withStructuredOutput(city, { method: "jsonSchema" }).invoke("A city"),
  failure: async () => {
    const error = await model.invoke("[[simulate: context-overflow]] Say hello").then(
      () => undefined,
      cause => cause,
    )
    return { status: error?.status, message: error?.message }
  },
}

console.log(JSON.stringify(await operations[operation]()))
