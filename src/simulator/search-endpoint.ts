/** `POST /alpha/search`: web search without a model turn, of the Codex backend only. */

import { isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { SimulatedAccount } from "./accounts/accounts.ts"
import { openTurn } from "./delivery/open-turn.ts"
import type { Endpoint } from "./exchange.ts"
import { errorRefusal, type Refusal } from "./refusal.ts"
import { refuse, startScripted } from "./scripts/scripted-endpoint.ts"
import { seal } from "./seal.ts"
import { nowSecOf, type World } from "./world.ts"

const KEYS = new Set(["id", "model", "reasoning", "input", "commands", "settings", "max_output_tokens"])

const COMMANDS = new Set([
  "search_query",
  "image_query",
  "open",
  "click",
  "find",
  "screenshot",
  "finance",
  "weather",
  "sports",
  "time",
  "response_length",
])

/** The endpoint. Answers with what it was asked, so that a caller can tell whose answer it has. */
export const searchEndpoint: Endpoint = async exchange => {
  const turn = await openTurn(exchange, "chatgpt")
  if ("response" in turn) return turn.response
  const { account, body } = turn
  const model = stringAt(body, "model") ?? ""
  const asked = { endpoint: "search", account, userText: "", model, family: "codex" } as const
  const { response } = await startScripted(exchange, asked)
  if (response !== undefined) return response
  const refusal = refuseSearch(body)
  if (refusal !== undefined) return refuse(exchange, refusal, asked)
  return Response.json(answerOf(body, account, exchange.world), { headers: { server: "sluice-simulator" } })
}

function answerOf(body: JsonObject, account: SimulatedAccount, world: World): JsonObject {
  const queries = objectAt(body, "commands")?.["search_query"]
  const asked = Array.isArray(queries) ? queries.filter(isJsonObject).map(query => stringAt(query, "q") ?? "") : []
  return {
    output: `Results for: ${asked.join("; ") || "the input"}`,
    encrypted_output: seal(account, { nowSec: nowSecOf(world), filler: world.ids.hex(64) }),
  }
}

function refuseSearch(body: JsonObject): Refusal | undefined {
  const foreign = Object.keys(body).find(key => !KEYS.has(key))
  if (foreign !== undefined) {
    return errorRefusal({ message: `Unknown parameter: '${foreign}'.`, param: foreign, code: "unknown_parameter" })
  }
  for (const param of ["id", "model"]) {
    if (stringAt(body, param)) continue
    const message = `Missing required parameter: '${param}'.`
    return errorRefusal({ message, param, code: "missing_required_parameter" })
  }
  return refuseCommands(objectAt(body, "commands") ?? {})
}

function refuseCommands(commands: JsonObject): Refusal | undefined {
  for (const [name, value] of Object.entries(commands)) {
    const param = `commands.${name}`
    if (!COMMANDS.has(name)) {
      return errorRefusal({ message: `Unknown parameter: '${param}'.`, param, code: "unknown_parameter" })
    }
    if (name === "response_length" ? typeof value === "string" : Array.isArray(value)) continue
    return errorRefusal({ message: `Invalid type for '${param}'.`, param, code: "invalid_type" })
  }
  return undefined
}
