/** An account as the bricks pass it around: who it is and how it proves itself. */

import type { AccountId, ProviderId } from "./ids.ts"

/** What an account proves itself with. Never logged, never part of an error. */
export type Credential =
  | {
      readonly type: "chatgpt"
      readonly accessToken: string
      readonly refreshToken?: string
      readonly idToken?: string
      /** Milliseconds since the epoch, from `exp` of the access token or from the file. Undefined = unknown. */
      readonly expiresAtMs?: number
      readonly lastRefreshAtMs?: number
      /** Counts rotations; a higher generation always wins over a lower one. */
      readonly generation: number
    }
  | { readonly type: "api-key"; readonly apiKey: string; readonly baseUrl?: string; readonly generation: number }

/** Where an account lives: in a file, which may hold several, or in the gateway's own database. */
export type AccountSource =
  | { readonly type: "file"; readonly path: string; readonly index: number }
  | { readonly type: "store" }

/** One account. Replaced whole when anything about it changes. */
export type Account = {
  readonly id: AccountId
  readonly provider: ProviderId
  /** What operators see: the e-mail, or the file name when there is none. Mask before it is logged. */
  readonly label: string
  readonly email?: string
  /** `plus`, `pro`, `free`, …; unknown strings are kept. */
  readonly plan?: string
  /** Value of the `ChatGPT-Account-ID` header. */
  readonly workspaceId?: string
  readonly userId?: string
  /** FedRAMP workspaces need a header of their own. */
  readonly fedramp?: boolean
  readonly disabled: boolean
  /** What operators wrote down about it. */
  readonly note?: string
  readonly tags?: readonly string[]
  /** Where it is used instead of the configured upstream; only for ChatGPT accounts, as a key carries its own. */
  readonly baseUrl?: string
  /** Name of its own way out, without secrets; absent = the configured one. It never goes out another way. */
  readonly egress?: string
  readonly credential: Credential
  readonly source: AccountSource
}

/** The file an account lives in; undefined = the database. */
export function filePathOf({ source }: Pick<Account, "source">): string | undefined {
  return source.type === "file" ? source.path : undefined
}

/** Shows the first characters of a label and hides the rest: `jo***@example.com`, `acc***`. */
export function maskLabel(label: string): string {
  const at = label.indexOf("@")
  if (at > 0) return `${label.slice(0, Math.min(2, at))}***${label.slice(at)}`
  return `${label.slice(0, Math.min(3, Math.ceil(label.length / 2)))}***`
}
