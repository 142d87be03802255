// Runs one operation of the Vercel AI SDK through one of its providers and prints its result as one JSON line.
// Environment: CLIENTS (folder of node_modules), ORIGIN (http://host:port), KEY; arguments: provider, operation.
import { join } from "node:path"

const from = path => import(join(process.env.CLIENTS, "node_modules", path))
const { generateImage, generateText, jsonSchema, Output, stepCountIs, streamText, tool } =
  await from("ai/dist/index.js")

const { ORIGIN, KEY: apiKey } = process.env
const model = "gpt-5.5"

// How a user of each provider would set it up.
const providers = {
  responses: async () => {
    const { createOpenAI } = await from("@ai-sdk/openai/dist/index.js")
    return createOpenAI({ baseURL: `${ORIGIN}/v1`, apiKey })(model)
  },
  chat: async () => {
    const { createOpenAI } = await from("@ai-sdk/openai/dist/index.js")
    return createOpenAI({ baseURL: `${ORIGIN}/v1`, apiKey }).chat(model)
  },
  compatible: async () => {
    const { createOpenAICompatible } = await from("@ai-sdk/openai-compatible/dist/index.js")
    const settings = {
      name: "sluice",
      baseURL: `${ORIGIN}/v1`,
      apiKey,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }
    return createOpenAICompatible(settings)(model)
  },
  anthropic: async () => {
    const { createAnthropic } = await from("@ai-sdk/anthropic/dist/index.js")
    return createAnthropic({ baseURL: `${ORIGIN}/v1`, apiKey })("claude-sonnet-4-5")
  },
  google: async () => {
    const { createGoogle, createGoogleGenerativeAI } = await from("@ai-sdk/google/dist/index.js")
    return (createGoogle ?? createGoogleGenerativeAI)({ baseURL: `${ORIGIN}/v1beta`, apiKey })("gemini-2.5-pro")
  },
}

const weather = tool({
  description: "The weather in a city",
  inputSchema: jsonSchema({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  }),
  execute: async ({ city }) => `21 degrees in ${city}`,
})

const callsOf = steps => steps.flatMap(step => step.toolCalls.map(call => call.toolName))
const resultsOf = steps => steps.flatMap(step => step.toolResults.map(result => result.output))
const usageOf = ({ inputTokens, outputTokens }) => ({ inputTokens, outputTokens })

const operations = {
  text: async model => {
    const { text, finishReason, usage } = await generateText({ model, prompt: "Say hello" })
    return { text, finishReason, usage: usageOf(usage) }
  },
  stream: async model => {
    const stream = streamText({ model, prompt: "Say hello" })
    let text = ""
    for await (const delta of stream.textStream) text += delta
    return { text, finishReason: await stream.finishReason, usage: usageOf(await stream.usage) }
  },
  tools: async model => {
    const prompt = "Please use the tool weather, then answer."
    const { text, steps } = await generateText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(4) })
    return { text, calls: callsOf(steps), results: resultsOf(steps), steps: steps.length }
  },
  "tools streamed": async model => {
    const prompt = "Please use the tool weather, then answer."
    const stream = streamText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(4) })
    const errors = []
    for await (const part of stream.fullStream) if (part.type === "error") errors.push(String(part.error))
    const steps = await stream.steps
    return { text: await stream.text, calls: callsOf(steps), results: resultsOf(steps), steps: steps.length, errors }
  },
  turns: async model => {
    const first = await generateText({ model, prompt: "The word is marmalade." })
    const messages = [
      { role: "user", content: "The word is marmalade." },
      ...(first.responseMessages ?? first.response.messages),
      { role: "user", content: "Say the word" },
    ]
    const second = await generateText({ model, messages })
    return { text: second.text, finishReason: second.finishReason }
  },
  object: async model => {
    const schema = jsonSchema({
      type: "object",
      properties: { city: { type: "string" }, population: { type: "number" } },
      required: ["city", "population"],
      additionalProperties: false,
    })
    const result = await generateText({ model, prompt: "A city", output: Output.object({ schema }) })
    return result.output ?? result.experimental_output
  },
  picture: async model => {
    const image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    const content = [
      { type: "text", text: "What is this?" },
      { type: "file", mediaType: "image/png", data: image },
    ]
    const { text } = await generateText({ model, messages: [{ role: "user", content }] })
    return { text }
  },
  failure: async model => {
    const failed = generateText({ model, prompt: "[[simulate: context-overflow]] Say hello", maxRetries: 0 })
    const error = await failed.then(
      () => undefined,
      cause => cause,
    )
    return { name: error?.name, status: error?.statusCode, message: error?.message }
  },
  draw: async () => {
    const { createOpenAI } = await from("@ai-sdk/openai/dist/index.js")
    const image = createOpenAI({ baseURL: `${ORIGIN}/v1`, apiKey }).image("gpt-image-2")
    const { images } = await generateImage({ model: image, prompt: "A lamp", n: 2 })
    return images.map(({ mediaType, base64 }) => ({ mediaType, head: base64.slice(0, 12) }))
  },
}

const [, , provider, operation] = process.argv
const result = await operations[operation](await providers[provider]())
console.log(JSON.stringify(result))
