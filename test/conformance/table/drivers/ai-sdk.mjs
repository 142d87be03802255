// The Vercel AI SDK through one of its providers; it goes through tool rounds by itself.
import {
  apiKey,
  earlier,
  forget,
  from,
  model,
  origin,
  parameters,
  pixel,
  report,
  runTool,
  schema,
  show,
  task,
} from "./driver.mjs"

const { generateImage, generateText, jsonSchema, Output, stepCountIs, streamText, tool } =
  await from("ai/dist/index.js")

const openai = async () =>
  (await from("@ai-sdk/openai/dist/index.js")).createOpenAI({ baseURL: `${origin}/v1`, apiKey })
const providers = {
  responses: async () => (await openai())(model),
  chat: async () => (await openai()).chat(model),
  compatible: async () => {
    const { createOpenAICompatible } = await from("@ai-sdk/openai-compatible/dist/index.js")
    const settings = { name: "sluice", includeUsage: true, supportsStructuredOutputs: true }
    return createOpenAICompatible({ ...settings, baseURL: `${origin}/v1`, apiKey })(model)
  },
  anthropic: async () =>
    (await from("@ai-sdk/anthropic/dist/index.js")).createAnthropic({ baseURL: `${origin}/v1`, apiKey })(model),
  google: async () => {
    const { createGoogle, createGoogleGenerativeAI } = await from("@ai-sdk/google/dist/index.js")
    return (createGoogle ?? createGoogleGenerativeAI)({ baseURL: `${origin}/v1beta`, apiKey })(model)
  },
}

// What makes each provider ask for reasoning and bring it back.
const thinking = {
  responses: { openai: { reasoningSummary: "auto", store: false, include: ["reasoning.encrypted_content"] } },
  anthropic: { anthropic: { thinking: { type: "enabled", budgetTokens: 8000 } } },
  google: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 8000 } } },
}

async function toolSet() {
  const { name, kind } = task.tool
  if (kind === "custom") {
    const { openai: provider } = await from("@ai-sdk/openai/dist/index.js")
    return { [name]: provider.tools.customTool({ execute: input => runTool(name, input) }) }
  }
  const description = "The weather in a city"
  return { [name]: tool({ description, inputSchema: jsonSchema(parameters), execute: input => runTool(name, input) }) }
}

const contentOf = text =>
  task.image
    ? [
        { type: "text", text },
        { type: "file", mediaType: "image/png", data: pixel },
      ]
    : text

async function ask() {
  const messages = [...earlier]
  const params = {
    model: await providers[task.way](),
    ...(task.tool && { tools: await toolSet(), stopWhen: stepCountIs(4) }),
    ...(task.think && { providerOptions: thinking[task.way] ?? {} }),
    ...(task.schema && { output: Output.object({ schema: jsonSchema(schema) }) }),
  }
  let answer
  for (const prompt of task.prompts) {
    messages.push({ role: "user", content: contentOf(prompt) })
    answer = await once({ ...params, messages })
    messages.push(...answer.messages)
  }
  return answer
}

const usageOf = ({ inputTokens, outputTokens }) => ({ inputTokens, outputTokens })

async function once(params) {
  if (!task.stream) {
    const result = await generateText(params)
    return {
      text: result.text,
      usage: usageOf(result.usage),
      messages: result.responseMessages ?? result.response.messages,
    }
  }
  let failure
  const stream = streamText({ ...params, onError: () => undefined })
  for await (const part of stream.fullStream) {
    if (part.type === "start-step") forget()
    if (part.type === "text-delta") show(part.text)
    if (part.type === "error") failure ??= part.error
  }
  if (failure !== undefined) throw failure
  const messages = (await stream.responseMessages) ?? (await stream.response).messages
  return { text: await stream.text, usage: usageOf(await stream.usage), messages }
}

await report({
  ask,
  draw: async () => {
    const { image } = await generateImage({ model: (await openai()).image("gpt-image-2"), prompt: "A lamp" })
    return { facts: { image: image.base64 } }
  },
})
