/** Reads a script from the JSON of a control call. */

import { GatewayError } from "#core/errors.ts"
import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import type { Script, ScriptEndpoint } from "./scripts.ts"
import { readSettings } from "./settings.ts"

const ENDPOINTS: readonly string[] = [
  "responses",
  "socket",
  "compact",
  "search",
  "models",
  "usage",
  "token",
  "reset-credits",
]

/** Returns the script. Throws `invalid-request` for an unknown endpoint or setting. */
export function readScript(body: JsonObject): Script {
  const scenario = stringAt(body, "scenario")
  const account = stringAt(body, "account")
  const times = numberAt(body, "times")
  const endpoint = stringAt(body, "endpoint")
  if (endpoint !== undefined && !ENDPOINTS.includes(endpoint)) {
    throw new GatewayError("invalid-request", `The simulator has no scriptable endpoint "${endpoint}".`)
  }
  return {
    settings: readSettings(objectAt(body, "settings") ?? {}),
    ...(scenario === undefined ? {} : { scenario }),
    ...(account === undefined ? {} : { account }),
    ...(times === undefined ? {} : { times }),
    // Checked against the list just above.
    ...(endpoint === undefined ? {} : { endpoint: endpoint as ScriptEndpoint }),
  }
}
