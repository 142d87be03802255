// The official `@google/genai` package.
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

const { GoogleGenAI } = await from("@google/genai/dist/node/index.mjs")
const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: origin } })

function talk() {
  const contents = history.flatMap(([user, answer]) => [
    { role: "user", parts: [{ text: user }] },
    { role: "model", parts: [{ text: answer }] },
  ])
  let results = []
  const declaration = { name: task.tool?.name, description: "The weather in a city", parametersJsonSchema: parameters }
  const config = {
    ...(task.tool && { tools: [{ functionDeclarations: [declaration] }] }),
    ...(task.think && { thinkingConfig: { includeThoughts: true, thinkingLevel: "HIGH" } }),
    ...(task.schema && { responseMimeType: "application/json", responseJsonSchema: schema }),
  }
  return {
    user: text => {
      const picture = task.image ? [{ inlineData: { mimeType: "image/png", data: pixel } }] : []
      contents.push({ role: "user", parts: [...picture, { text }] })
    },
    step: async () => {
      const { parts, usage } = await ask({ model, contents, config })
      contents.push({ role: "model", parts })
      const calls = parts
        .filter(part => part.functionCall)
        .map(({ functionCall }) => ({ id: functionCall.id, name: functionCall.name, args: functionCall.args }))
      const text = parts.map(part => (part.thought ? "" : (part.text ?? ""))).join("")
      const outputTokens = (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0)
      return { text, calls, usage: { inputTokens: usage?.promptTokenCount, outputTokens } }
    },
    result: ({ id, name }, output) => results.push({ functionResponse: { id, name, response: { output } } }),
    flush: () => {
      contents.push({ role: "user", parts: results })
      results = []
    },
  }
}

async function ask(params) {
  if (!task.stream) {
    const answer = await client.models.generateContent(params)
    return { parts: answer.candidates[0].content.parts, usage: answer.usageMetadata }
  }
  const parts = []
  let usage
  for await (const chunk of await client.models.generateContentStream(params)) {
    const pieces = chunk.candidates?.[0]?.content?.parts ?? []
    for (const part of pieces) if (!part.thought) show(part.text)
    parts.push(...pieces)
    usage = chunk.usageMetadata ?? usage
  }
  return { parts, usage }
}

await report({
  ask: () => converse(talk()),
  count: async () => ({
    facts: { tokens: (await client.models.countTokens({ model, contents: "Say hello" })).totalTokens },
  }),
  models: async () => {
    const models = []
    for await (const entry of await client.models.list({ config: { pageSize: 3 } })) models.push(entry.name)
    return { facts: { models } }
  },
})
