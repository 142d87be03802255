// LangChain's OpenAI package over either of its APIs; its user runs the tools, as its own example does.
import {
  apiKey,
  converse,
  from,
  history,
  model,
  origin,
  parameters,
  pixel,
  report,
  schema,
  show,
  task,
} from "./driver.mjs"

const { ChatOpenAI } = await from("@langchain/openai/dist/index.js")
const { AIMessage, HumanMessage, ToolMessage } = await from("@langchain/core/dist/messages/index.js")

const chat = new ChatOpenAI({
  model,
  apiKey,
  configuration: { baseURL: `${origin}/v1` },
  useResponsesApi: task.way === "responses",
  streamUsage: true,
  ...(task.way === "responses" && task.think && { zdrEnabled: true, reasoning: { effort: "high", summary: "auto" } }),
})
const tool = {
  type: "function",
  function: { name: task.tool?.name, description: "The weather in a city", parameters },
}
const bound = task.tool ? chat.bindTools([tool]) : chat

function talk() {
  const messages = history.flatMap(([user, assistant]) => [new HumanMessage(user), new AIMessage(assistant)])
  return {
    user: text => {
      const url = `data:image/png;base64,${pixel}`
      const parts = [
        { type: "text", text },
        { type: "image_url", image_url: { url } },
      ]
      messages.push(new HumanMessage(task.image ? { content: parts } : text))
    },
    step: async () => {
      const answer = await ask(messages)
      messages.push(answer)
      const calls = (answer.tool_calls ?? []).map(({ id, name, args }) => ({ id, name, args }))
      const { input_tokens: inputTokens, output_tokens: outputTokens } = answer.usage_metadata ?? {}
      return { text: answer.text, calls, usage: { inputTokens, outputTokens } }
    },
    result: ({ id }, content) => messages.push(new ToolMessage({ tool_call_id: id, content })),
  }
}

async function ask(messages) {
  if (!task.stream) return bound.invoke(messages)
  let whole
  for await (const chunk of await bound.stream(messages)) {
    show(chunk.text)
    whole = whole === undefined ? chunk : whole.concat(chunk)
  }
  return whole
}

await report({
  ask: async () => {
    if (!task.schema) return converse(talk())
    const structured = chat.withStructuredOutput({ title: "city", ...schema }, { method: "jsonSchema" })
    return { text: JSON.stringify(await structured.invoke(task.prompts[0])) }
  },
})
