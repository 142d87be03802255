/** Scripts in force: for everything, for an endpoint, for an account, for the next requests, or named in a prompt. */

import { GatewayError } from "#core/errors.ts"
import { findDirective } from "#simulator/answers/prompt.ts"
import { SEQUENCES } from "#simulator/sequences/registry.ts"

import { scenarioSettings } from "./scenarios.ts"
import { DEFAULT_SETTINGS, readSettings, type Settings } from "./settings.ts"

/** Endpoints that can be scripted. All but `responses` only know refusals and header delays; `socket` is a WebSocket's handshake. */
export type ScriptEndpoint =
  | "responses"
  | "socket"
  | "compact"
  | "search"
  | "models"
  | "usage"
  | "token"
  | "reset-credits"

/** A script as it is given. What is left out matches everything; without `times` it stays until it is cleared. */
export type Script = {
  readonly scenario?: string
  readonly settings?: Partial<Settings>
  readonly endpoint?: ScriptEndpoint
  /** The account's name in the simulator. */
  readonly account?: string
  readonly times?: number
}

/** What a request is matched by. */
export type ScriptTarget = {
  readonly endpoint: ScriptEndpoint
  readonly account: string | undefined
  /** Text that may name a scenario; "" for none. */
  readonly userText: string
}

/** The scripts of one simulator. */
export type Scripts = {
  /** Later scripts win over earlier ones, a prompt over both. Throws `invalid-request` for unknown names. */
  readonly add: (script: Script) => void
  readonly clear: () => void
  /** Settings for one request; uses up one of `times` of every script that matched. */
  readonly settle: (target: ScriptTarget) => Settings
}

type ActiveScript = {
  readonly script: Script
  readonly settings: Partial<Settings>
  readonly remaining: number
}

/** Makes an empty list. */
export function makeScripts(): Scripts {
  let active: readonly ActiveScript[] = []
  const directiveUses = new Map<string, number>()
  return {
    add: script => {
      const settings = checked({ ...scenarioSettings(script.scenario ?? ""), ...script.settings })
      active = [...active, { script, settings, remaining: script.times ?? Number.POSITIVE_INFINITY }]
    },
    clear: () => {
      active = []
      directiveUses.clear()
    },
    settle: target => {
      const matching = active.filter(({ script }) => isMatch(script, target))
      active = active
        .map(entry => (matching.includes(entry) ? { ...entry, remaining: entry.remaining - 1 } : entry))
        .filter(entry => entry.remaining > 0)
      const layers = [...matching.map(entry => entry.settings), directiveSettings(target.userText, directiveUses)]
      // Complete, because the first layer is.
      return Object.assign({}, DEFAULT_SETTINGS, ...layers) as Settings
    },
  }
}

function isMatch(script: Script, target: ScriptTarget): boolean {
  if ((script.endpoint ?? "responses") !== target.endpoint) return false
  return script.account === undefined || script.account === target.account
}

/** `times=2` in a prompt applies the scenario to the first two requests that carry exactly this directive. */
function directiveSettings(userText: string, uses: Map<string, number>): Partial<Settings> {
  const directive = findDirective(userText)
  if (directive === undefined) return {}
  const { times, ...rest } = directive.settings
  const used = (uses.get(directive.source) ?? 0) + 1
  uses.set(directive.source, used)
  if (times !== undefined && used > Number(times)) return {}
  return checked({ ...scenarioSettings(directive.scenario), ...readSettings(rest) })
}

function checked(settings: Partial<Settings>): Partial<Settings> {
  if (settings.sequence !== undefined && SEQUENCES[settings.sequence] === undefined) {
    throw new GatewayError("invalid-request", `The simulator has no sequence "${settings.sequence}".`)
  }
  if (settings.refuse !== undefined && settings.refuse !== "") scenarioSettings(settings.refuse)
  return settings
}
