// The official `openai` package over Chat Completions, Responses and Responses over WebSocket.
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

const { default: OpenAI } = await from("openai/index.mjs")
const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey })
const isCustom = task.tool?.kind === "custom"
const image = `data:image/png;base64,${pixel}`

function chat() {
  const messages = [...earlier]
  const name = task.tool?.name
  const tools = isCustom
    ? [{ type: "custom", custom: { name } }]
    : [{ type: "function", function: { name, description: "The weather in a city", parameters } }]
  const params = {
    model,
    messages,
    ...(task.tool && { tools }),
    ...(task.schema && {
      response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema } },
    }),
  }
  return {
    user: text => {
      const parts = [
        { type: "text", text },
        { type: "image_url", image_url: { url: image } },
      ]
      messages.push({ role: "user", content: task.image ? parts : text })
    },
    step: async () => {
      const answer = await askChat(params)
      const { message } = answer.choices[0]
      messages.push(message)
      const calls = (message.tool_calls ?? []).map(call =>
        call.type === "custom"
          ? { id: call.id, name: call.custom.name, args: call.custom.input, isText: true }
          : { id: call.id, name: call.function.name, args: call.function.arguments },
      )
      const usage = { inputTokens: answer.usage?.prompt_tokens, outputTokens: answer.usage?.completion_tokens }
      return { text: message.content ?? "", calls, usage }
    },
    result: ({ id }, content) => messages.push({ role: "tool", tool_call_id: id, content }),
  }
}

async function askChat(params) {
  if (!task.stream) return client.chat.completions.create(params)
  const stream = client.chat.completions.stream({ ...params, stream_options: { include_usage: true } })
  stream.on("content", show)
  return stream.finalChatCompletion()
}

function responses(ask) {
  const input = [...earlier]
  const name = task.tool?.name
  const tools = isCustom
    ? [{ type: "custom", name }]
    : [{ type: "function", name, description: "The weather in a city", parameters, strict: false }]
  const params = {
    model,
    input,
    store: false,
    include: ["reasoning.encrypted_content"],
    ...(task.tool && { tools }),
    ...(task.schema && { text: { format: { type: "json_schema", name: "city", strict: true, schema } } }),
  }
  const kinds = { function_call: "arguments", custom_tool_call: "input" }
  return {
    user: text => {
      const parts = [
        { type: "input_text", text },
        { type: "input_image", image_url: image, detail: "auto" },
      ]
      input.push({ role: "user", content: task.image ? parts : text })
    },
    step: async () => {
      const answer = await ask(params)
      if (answer.status === "failed") throw new Error(answer.error?.message ?? "failed")
      input.push(...answer.output)
      const calls = answer.output
        .filter(item => item.type in kinds)
        .map(item => ({
          id: item.call_id,
          name: item.name,
          args: item[kinds[item.type]],
          isText: item.type === "custom_tool_call",
        }))
      const usage = { inputTokens: answer.usage?.input_tokens, outputTokens: answer.usage?.output_tokens }
      const text = answer.output
        .filter(item => item.type === "message")
        .flatMap(item => item.content.map(part => part.text ?? ""))
        .join("")
      return { text, calls, usage }
    },
    result: (call, output) =>
      input.push({ type: call.isText ? "custom_tool_call_output" : "function_call_output", call_id: call.id, output }),
  }
}

async function askResponses(params) {
  if (!task.stream) return client.responses.create(params)
  const stream = client.responses.stream(params)
  stream.on("response.output_text.delta", ({ delta }) => show(delta))
  return stream.finalResponse()
}

async function askSocket(params) {
  const { ResponsesWS } = await from("openai/resources/responses/ws.mjs")
  const socket = new ResponsesWS(client)
  try {
    return await new Promise((resolve, reject) => {
      socket.on("event", event => {
        if (event.type === "response.output_text.delta") show(event.delta)
        if (["response.completed", "response.failed", "response.incomplete"].includes(event.type))
          resolve(event.response)
      })
      socket.on("error", reject)
      socket.send({ type: "response.create", ...params })
    })
  } finally {
    socket.close()
  }
}

const ways = { chat: () => chat(), responses: () => responses(askResponses), socket: () => responses(askSocket) }

await report({
  ask: () => converse(ways[task.way]()),
  count: async () => ({
    facts: { tokens: (await client.responses.inputTokens.count({ model, input: "Say hello" })).input_tokens },
  }),
  models: async () => ({ facts: { models: (await client.models.list()).data.map(entry => entry.id) } }),
  draw: async () => {
    if (task.way === "chat") {
      const { data } = await client.images.generate({ model: "gpt-image-2", prompt: "A lamp" })
      return { facts: { image: data[0].b64_json } }
    }
    const params = { model, input: "Draw a lamp", tools: [{ type: "image_generation" }] }
    const { output } = await (task.way === "socket" ? askSocket(params) : askResponses(params))
    return { facts: { image: output.find(item => item.type === "image_generation_call")?.result } }
  },
})
