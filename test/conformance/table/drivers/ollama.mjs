// The official `ollama` package.
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

const { Ollama } = await from("ollama/dist/index.mjs")
const client = new Ollama({ host: origin, headers: { authorization: `Bearer ${apiKey}` } })

function talk() {
  const messages = [...earlier]
  const tool = { name: task.tool?.name, description: "The weather in a city", parameters }
  const params = {
    model,
    messages,
    ...(task.tool && { tools: [{ type: "function", function: tool }] }),
    ...(task.think && { think: "high" }),
    ...(task.schema && { format: schema }),
  }
  return {
    user: content => messages.push({ role: "user", content, ...(task.image && { images: [pixel] }) }),
    step: async () => {
      const { message, usage } = await ask(params)
      messages.push(message)
      const calls = (message.tool_calls ?? []).map(call => ({
        name: call.function.name,
        args: call.function.arguments,
      }))
      return { text: message.content, calls, usage }
    },
    result: ({ name }, content) => messages.push({ role: "tool", tool_name: name, content }),
  }
}

const usageOf = part => ({ inputTokens: part?.prompt_eval_count, outputTokens: part?.eval_count })

async function ask(params) {
  if (!task.stream) {
    const answer = await client.chat(params)
    return { message: answer.message, usage: usageOf(answer) }
  }
  const parts = []
  for await (const part of await client.chat({ ...params, stream: true })) {
    show(part.message.content)
    parts.push(part)
  }
  const joined = name => parts.map(part => part.message[name] ?? "").join("")
  const tool_calls = parts.flatMap(part => part.message.tool_calls ?? [])
  const message = { role: "assistant", content: joined("content"), thinking: joined("thinking"), tool_calls }
  return { message, usage: usageOf(parts.at(-1)) }
}

await report({
  ask: () => converse(talk()),
  models: async () => ({ facts: { models: (await client.list()).models.map(entry => entry.model) } }),
})
