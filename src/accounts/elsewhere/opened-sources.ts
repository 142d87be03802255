/** What opening the configured sources came to: the sources, and what an operator should know about them. */

import type { NamedSource } from "./named-source.ts"

/** A sentence for the log, without secrets. `hint` says what to do. */
export type SourceNotice = {
  readonly level: "info" | "warn"
  readonly message: string
  readonly path?: string
  readonly hint?: string
}

/** Sources in the order in which they count. */
export type OpenedSources = { readonly sources: readonly NamedSource[]; readonly notices: readonly SourceNotice[] }

/** Says that a login of the Codex CLI is borrowed, what that means when it expires, and how to do without. */
export function borrowedNotice(path: string, setting: string): SourceNotice {
  return {
    level: "warn",
    message:
      "the Codex CLI's login serves here too; Sluice uses its access token and leaves its renewal to the CLI, because a login that two programs renew is lost by one of them",
    path,
    hint: `When the token expires, the account rests until the CLI is used again. \`sluice login\` gives the gateway a login of its own; then take ${setting} out.`,
  }
}
