/** Which way out operators have chosen for an account, and how that is written down. */

import { DIRECT_EGRESS_NAME, proxyEgressName, UNCHOSEN_EGRESS_NAME } from "#core/egress-names.ts"
import { isJsonObject, type Json, stringAt } from "#core/json.ts"

/**
 * The choice; none = what the account's source names, else the configured way. `pool` keeps the proxy that was chosen for
 * the account; without one there was none to choose.
 */
export type EgressChoice =
  | { readonly mode: "direct" }
  | { readonly mode: "fixed"; readonly proxy: string }
  | { readonly mode: "pool"; readonly proxy?: string }

/** Stands for a choice nobody can read; there is no such proxy, so the account waits. */
const UNREADABLE: EgressChoice = { mode: "fixed", proxy: "unreadable" }

/** Reads a stored choice. One of an unknown kind is a closed way, never none. */
export function readEgressChoice(value: Json | undefined): EgressChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) return UNREADABLE
  const [mode, proxy] = [stringAt(value, "mode"), stringAt(value, "proxy")]
  if (mode === "direct") return { mode }
  if (mode === "fixed" && proxy !== undefined) return { mode, proxy }
  if (mode === "pool") return proxy === undefined ? { mode } : { mode, proxy }
  return UNREADABLE
}

/** Name of the way out that follows. */
export function egressOfChoice(choice: EgressChoice): string {
  if (choice.mode === "direct") return DIRECT_EGRESS_NAME
  return choice.proxy === undefined ? UNCHOSEN_EGRESS_NAME : proxyEgressName(choice.proxy)
}
