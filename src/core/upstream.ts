/** What passes between providers, transport and gateway: requests out, replies in, failures read. */

import type { Account } from "./account.ts"
import type { AccountId } from "./ids.ts"
import type { JsonObject } from "./json.ts"

/** One HTTP request to an upstream, ready to send. */
export type UpstreamRequest = {
  readonly method: "GET" | "POST"
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /**
   * Name of the way out it takes; undefined = the configured one. Required, so that nobody forgets an account's own:
   * a request without it would show the account to the upstream from another address.
   */
  readonly egress: string | undefined
  /** Whose request it is: what belongs to this account alone, such as its cookies, goes along. */
  readonly account?: AccountId
  /** The same turn as it goes over a WebSocket; whoever sends decides. Absent = HTTP. */
  readonly socket?: UpstreamSocket
  /** Another thread makes the request, and reads its answer; this one only says which way it takes. */
  readonly carry?: CarryUpstream
}

/** A request for another thread, with what its client has to be told to take the right way out. */
export type CarriedRequest = Pick<UpstreamRequest, "method" | "url" | "headers" | "body"> & {
  /** Requests of one way share their connections, and share them with no others. */
  readonly way: string
  readonly proxy:
    | false
    | { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly respectNoProxy: false }
  /** Whether the connection may carry another request afterwards. */
  readonly keepsAlive: boolean
}

/**
 * Has a request made elsewhere. Resolves once it is known what the answer's head came to; its body says no more than that
 * it is over. Rejects like `fetch`: with an error that carries the runtime's `code`.
 */
export type CarryUpstream = (request: CarriedRequest, signal: AbortSignal) => Promise<UpstreamReply>

/** A turn for a WebSocket, where headers belong to the connection and what is one turn's own has to stand in its frame. */
export type UpstreamSocket = {
  /** The address, `wss:` or `ws:`. */
  readonly url: string
  /** Turns of one conversation share a socket, one after the other. */
  readonly conversation: string
  /** Headers of the handshake; a socket that was opened with other ones is not used. */
  readonly headers: Readonly<Record<string, string>>
  /** What a request over HTTP says in headers of its own; joins the body's `client_metadata`. */
  readonly metadata: Readonly<Record<string, string>>
  /** The body before it was written down as text. */
  readonly body: JsonObject
}

/** An upstream's answer once its headers are in. `body` is undefined for an empty one. */
export type UpstreamReply = {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | undefined
}

/** What a provider's backend accepts; the upstream dialect builds the body by it. */
export type RequestRules = {
  /** Top-level keys that may be sent; undefined = all. */
  readonly allowedKeys?: ReadonlySet<string>
  /** The backend refuses `store: true`, bare strings, missing `instructions`, `role: "system"`, foreign item ids. */
  readonly codexBackend: boolean
}

/** Sends one request; rejects with `GatewayError` (`upstream-unavailable`, `timeout`, `cancelled`). */
export type SendUpstream = (request: UpstreamRequest, signal: AbortSignal) => Promise<UpstreamReply>

/**
 * A refusal in one shape, wherever it stood: an HTTP error body, an `error` event or a `response.failed` event
 * inside a 200 (then `status` is 200 unless the event carried its own).
 */
export type UpstreamFailure = {
  readonly status: number
  readonly code?: string
  readonly type?: string
  /** The upstream's text; shortened and scrubbed before a client sees it. */
  readonly message: string
  readonly param?: string
  readonly planType?: string
  readonly resetsAtSec?: number
  readonly resetsInSec?: number
  /** Length of the window that was refused, as far as the answer names it. */
  readonly windowSec?: number
  readonly retryAfterMs?: number
  /** The body was HTML: an edge in front of the upstream spoke, not the upstream. */
  readonly html?: boolean
  /** The upstream's own id of the refused request. */
  readonly requestId?: string
}

/** Where a request goes: the account and the base URL that applies to it. */
export type UpstreamTarget = { readonly account: Account; readonly baseUrl: string }

/** One usage window of an account, told apart by its length, not by its slot. */
export type QuotaWindow = {
  /** 0–100. */
  readonly usedPercent: number
  readonly windowSec: number
  readonly resetsAtSec?: number
  /** When this was said, where that was before the rest of its snapshot. */
  readonly observedAtMs?: number
}

/** A quota that counts one model family apart from the rest, e.g. `codex_bengalfox`. */
export type QuotaBucket = {
  readonly bucket: string
  readonly name?: string
  readonly windows: readonly QuotaWindow[]
  readonly limitReached: boolean
  /** When this was said, where that was before the rest of its snapshot. */
  readonly observedAtMs?: number
}

/** What an account said about its quota. */
export type QuotaSnapshot = {
  readonly observedAtMs: number
  readonly planType?: string
  readonly windows: readonly QuotaWindow[]
  readonly limitReached: boolean
  /** Named quotas beside the main one; absent when the source spoke of none. */
  readonly buckets?: readonly QuotaBucket[]
  /** The source names every window there is: one that it leaves out exists no more. */
  readonly isWhole?: boolean
  readonly credits?: { readonly hasCredits: boolean; readonly unlimited: boolean; readonly balance?: string }
  /** Banked full resets that the account may spend, where the source counts them. */
  readonly resetCredits?: number
}

/** A banked full reset of an account's windows. */
export type ResetCredit = {
  readonly id: string
  readonly type: string | undefined
  /** `available`, or what has become of it. */
  readonly status: string
  readonly grantedAt: string | undefined
  readonly expiresAt: string | undefined
  readonly title: string | undefined
  readonly description: string | undefined
}

/** What the upstream said to the wish to spend one. */
export type Redemption = {
  readonly code: "reset" | "nothing_to_reset" | "no_credit" | "already_redeemed"
  readonly windowsReset: number
}
