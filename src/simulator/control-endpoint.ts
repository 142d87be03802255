/** `POST /__control` and `GET /__recorded`: the control handle as JSON, for tests in other processes and languages. */

import { GatewayError } from "#core/errors.ts"
import { type Json, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import type { AccountPatch } from "./accounts/accounts.ts"
import type { QuotaPatch } from "./accounts/quota.ts"
import type { AccessState, RefreshState } from "./accounts/sessions.ts"
import type { SignInSwitches } from "./accounts/sign-in.ts"
import type { BackendRules } from "./checks/checked-call.ts"
import type { SimulatorControl } from "./control.ts"
import type { Endpoint } from "./exchange.ts"
import { refusalResponse } from "./refusal.ts"
import { readBody } from "./request-body.ts"
import { readScript } from "./scripts/read-script.ts"

/** Carries out one action; what it returns is the answer's `result`. */
type Action = (control: SimulatorControl, body: JsonObject) => unknown

const ACCESS_STATES: readonly string[] = ["live", "expired", "invalidated", "revoked"]
const REFRESH_STATES: readonly string[] = ["live", "used", "expired", "invalidated"]

/**
 * Actions by name. Patches (`account`, `quota`, `sign-in`, `rules`) are passed on as they are: the endpoint is for tests,
 * and their fields are those of the types they are cast to.
 */
const ACTIONS: Readonly<Record<string, Action>> = {
  "create-account": (control, body) => control.createAccount(patchOf(body, "account") as AccountPatch),
  "update-account": (control, body) => control.updateAccount(nameOf(body), patchOf(body, "account") as AccountPatch),
  accounts: control => control.accounts(),
  "account-file": (control, body) => control.accountFile(nameOf(body)),
  "codex-auth-file": (control, body) => control.codexAuthFile(nameOf(body)),
  script: (control, body) => control.script(readScript(body)),
  "clear-scripts": control => control.clearScripts(),
  release: (control, body) => control.release(stringAt(body, "label")),
  waiting: (control, body) => control.waiting(stringAt(body, "label") ?? "default"),
  quota: (control, body) => control.setQuota(nameOf(body), patchOf(body, "quota") as QuotaPatch),
  "grant-resets": (control, body) => control.grantResets(nameOf(body), numberAt(body, "count") ?? 1),
  "mark-access": (control, body) => control.markAccess(nameOf(body), stateOf(body, ACCESS_STATES) as AccessState),
  "mark-refresh": (control, body) => control.markRefresh(nameOf(body), stateOf(body, REFRESH_STATES) as RefreshState),
  "sign-in": (control, body) => control.setSignIn(nameOf(body), patchOf(body, "switches") as Partial<SignInSwitches>),
  "sign-in-again": (control, body) => control.signInAgain(nameOf(body)),
  "token-states": control => control.tokenStates(),
  "issued-tokens": control => control.issuedTokens(),
  "choose-login": (control, body) => control.chooseLogin(stringAt(body, "name")),
  rules: (control, body) => control.setRules(patchOf(body, "rules") as Partial<BackendRules>),
  "change-models": control => control.changeModels(),
  sockets: control => control.sockets(),
  "close-sockets": (control, body) => control.closeSockets(numberAt(body, "code")),
  "clear-recorded": control => control.clearRecorded(),
}

/** Makes `POST /__control`: `{"action": name, …}` → `{"result": …}`. */
export function makeControlEndpoint(control: SimulatorControl): Endpoint {
  return async ({ request }) => {
    const read = await readBody(request)
    if ("refusal" in read) return refusalResponse(read.refusal)
    const name = stringAt(read.body, "action") ?? ""
    const action = ACTIONS[name]
    if (action === undefined) {
      const known = Object.keys(ACTIONS).join(", ")
      throw new GatewayError("invalid-request", `The simulator has no action "${name}". Known: ${known}.`)
    }
    return Response.json({ result: action(control, read.body) ?? null }, { headers: { server: "sluice-simulator" } })
  }
}

/** Makes `GET /__recorded?path=&account=`: the last requests, oldest first. */
export function makeRecordedEndpoint(control: SimulatorControl): Endpoint {
  return ({ url }) => {
    const path = url.searchParams.get("path")
    const account = url.searchParams.get("account")
    const filter = { ...(path === null ? {} : { path }), ...(account === null ? {} : { account }) }
    return Response.json({ requests: control.recorded(filter) }, { headers: { server: "sluice-simulator" } })
  }
}

function nameOf(body: JsonObject): string {
  return stringAt(body, "name") ?? ""
}

function patchOf(body: JsonObject, key: string): Json {
  return objectAt(body, key) ?? {}
}

function stateOf(body: JsonObject, known: readonly string[]): string {
  const state = stringAt(body, "state") ?? "expired"
  if (known.includes(state)) return state
  throw new GatewayError("invalid-request", `The simulator has no token state "${state}".`)
}
