// OpenAI's agents package over Chat Completions, Responses, or Responses over WebSocket.
import {
  apiKey,
  forget,
  from,
  history,
  model,
  origin,
  parameters,
  pixel,
  report,
  runTool,
  show,
  task,
} from "./driver.mjs"

const agents = await from("@openai/agents/dist/index.js")
const { default: OpenAI } = await from("openai/index.mjs")
const { z } = await from("zod/index.js")

agents.setDefaultOpenAIClient(new OpenAI({ baseURL: `${origin}/v1`, apiKey }))
agents.setOpenAIAPI(task.way === "chat" ? "chat_completions" : "responses")
if (task.way === "socket") agents.setOpenAIResponsesTransport("websocket")
agents.setTracingDisabled(true)

function makeAgent() {
  const name = task.tool?.name
  const tool = task.tool && {
    ...agents.tool({
      name: name.slice(0, 60),
      description: "The weather in a city",
      parameters,
      strict: false,
      execute: input => runTool(name, input),
    }),
    name,
  }
  return new agents.Agent({
    name: "Forecaster",
    instructions: "Be brief.",
    model,
    ...(task.think && {
      modelSettings: {
        reasoning: { effort: "high", summary: "auto" },
        store: false,
        providerData: { include: ["reasoning.encrypted_content"] },
      },
    }),
    ...(tool && { tools: [tool] }),
    ...(task.schema && { outputType: z.object({ city: z.string(), population: z.number() }) }),
  })
}

const said = text => {
  const parts = [
    { type: "input_text", text },
    { type: "input_image", image: `data:image/png;base64,${pixel}` },
  ]
  return { role: "user", content: task.image ? parts : text }
}

async function ask() {
  const agent = makeAgent()
  let input = history.flatMap(([user, text]) => [
    { role: "user", content: user },
    { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text }] },
  ])
  let result
  for (const prompt of task.prompts) {
    forget()
    result = await once(agent, [...input, said(prompt)])
    input = result.history
  }
  const { finalOutput: output } = result
  const last = result.rawResponses.at(-1)
  const usage = { inputTokens: last?.usage.inputTokens, outputTokens: last?.usage.outputTokens }
  return { text: typeof output === "string" ? output : JSON.stringify(output), usage }
}

async function once(agent, input) {
  if (!task.stream) return agents.run(agent, input, { maxTurns: 4 })
  const result = await agents.run(agent, input, { maxTurns: 4, stream: true })
  for await (const delta of result.toTextStream()) show(delta)
  await result.completed
  if (result.error) throw result.error
  return result
}

await report({ ask })
