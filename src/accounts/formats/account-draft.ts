/** What a parser gets out of one entry of an account file, before tokens are looked into. */

import type { ProviderId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"

/** How an entry is laid out; the rewriter puts a rotated credential back in the same layout. */
export type FormatName = "flat" | "codex-auth"

/** One entry. Absent members were absent, blank or of the wrong type. Times in milliseconds since the epoch. */
export type AccountDraft = {
  readonly format: FormatName
  /** Position in the file: entries of an array or lines of NDJSON, from 0. */
  readonly index: number
  readonly provider: ProviderId
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly idToken?: string
  readonly apiKey?: string
  readonly baseUrl?: string
  readonly workspaceId?: string
  readonly userId?: string
  readonly email?: string
  /** What its owner calls it; shown where there is no e-mail. */
  readonly label?: string
  readonly plan?: string
  readonly expiresAtMs?: number
  readonly lastRefreshAtMs?: number
  readonly disabled: boolean
}

/** An entry, or a whole file, that could not be read. `reason` is safe to show: it never quotes a value. */
export type FileFault = {
  /** Undefined: the whole file. */
  readonly index?: number
  readonly reason: string
}

/** One layout: how to recognise an entry and how to read it. */
export type AccountFormat = {
  readonly name: FormatName
  readonly matches: (entry: JsonObject) => boolean
  /** Throws `invalid-request` naming the missing field. */
  readonly decode: (entry: JsonObject, index: number) => AccountDraft
}
