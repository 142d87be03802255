// The official `@anthropic-ai/sdk` package.
import {
  apiKey,
  converse,
  earlier,
  from,
  model,
  origin,
  parameters,
  pixel,
  report,
  schema,
  show,
  task,
} from "./driver.mjs"

const { default: Anthropic } = await from("@anthropic-ai/sdk/index.mjs")
const client = new Anthropic({ baseURL: origin, apiKey })

function talk() {
  const messages = [...earlier]
  let results = []
  const params = {
    model,
    max_tokens: 16_000,
    messages,
    ...(task.think && { thinking: { type: "adaptive" } }),
    ...(task.tool && {
      tools: [{ name: task.tool.name, description: "The weather in a city", input_schema: parameters }],
    }),
    ...(task.schema && { output_config: { format: { type: "json_schema", schema } } }),
  }
  return {
    user: text => {
      const source = { type: "base64", media_type: "image/png", data: pixel }
      const parts = [
        { type: "image", source },
        { type: "text", text },
      ]
      messages.push({ role: "user", content: task.image ? parts : text })
    },
    step: async () => {
      const message = await ask(params)
      messages.push({ role: "assistant", content: message.content })
      const calls = message.content
        .filter(block => block.type === "tool_use")
        .map(({ id, name, input }) => ({ id, name, args: input }))
      const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = message.usage
      const inputTokens = input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
      const text = message.content.map(block => block.text ?? "").join("")
      return { text, calls, usage: { inputTokens, outputTokens: output_tokens } }
    },
    result: ({ id }, content) => results.push({ type: "tool_result", tool_use_id: id, content }),
    flush: () => {
      messages.push({ role: "user", content: results })
      results = []
    },
  }
}

async function ask(params) {
  if (!task.stream) return client.messages.create(params)
  const stream = client.messages.stream(params)
  stream.on("text", show)
  return stream.finalMessage()
}

await report({
  ask: () => converse(talk()),
  count: async () => {
    const { input_tokens } = await client.messages.countTokens({
      model,
      messages: [{ role: "user", content: "Say hello" }],
    })
    return { facts: { tokens: input_tokens } }
  },
  models: async () => {
    const models = []
    for await (const entry of client.models.list({ limit: 3 })) models.push(entry.id)
    return { facts: { models } }
  },
})
