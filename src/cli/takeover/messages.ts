/** The words that two gateways change when one replaces the other; docs/upgrade.md has them in order. */

import type { Account } from "#core/account.ts"
import { ERROR_KINDS, GatewayError, type GatewayErrorOptions } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { isJsonObject } from "#core/json.ts"

import type { Note } from "./notes.ts"

/** Raised when either side would misunderstand the other. */
export const TAKEOVER_PROTOCOL = 1

/** A place that the predecessor listens at. */
export type HeldPort = { readonly host: string; readonly port: number }

/** What the successor says. */
export type SuccessorMessage =
  | { readonly type: "hello"; readonly protocol: number; readonly version: string; readonly pid: number }
  | { readonly type: "listening" }
  | { readonly type: "renewed"; readonly id: number; readonly account: Account }
  | { readonly type: "not-renewed"; readonly id: number; readonly error: GatewayError }

/** What the predecessor says. */
export type PredecessorMessage =
  | { readonly type: "refused"; readonly reason: string }
  /** The data folder may be taken. */
  | { readonly type: "yours"; readonly version: string; readonly ports: readonly HeldPort[] }
  | { readonly type: "note"; readonly note: Note }
  /** Every answer that clients may continue has been told. */
  | { readonly type: "told" }
  /** The successor is the gateway from now on. */
  | { readonly type: "go" }
  /** It took too long: the successor ends, and lets the folder go by that. */
  | { readonly type: "no" }
  | {
      readonly type: "renew"
      readonly id: number
      readonly account: AccountId
      readonly refusedToken?: string | undefined
    }
  /** The predecessor's ports are closed. */
  | { readonly type: "closed" }

const ERROR_MEMBER = "$error"

/** Writes a message as one line of JSON. */
export function encodeMessage(message: object): string {
  return `${JSON.stringify(message, packError)}\n`
}

/** Reads a line. Throws for anything that is no JSON object with a `type`. */
export function decodeMessage<Message extends { readonly type: string }>(line: string): Message {
  const value: unknown = JSON.parse(line, unpackError)
  if (!isJsonObject(value) || typeof value["type"] !== "string") throw new Error("not a message of a takeover")
  // Written by a gateway of the same protocol version, at the other end of a socket that only this user may open.
  return value as unknown as Message
}

function packError(_: string, value: unknown): unknown {
  if (!(value instanceof GatewayError)) return value
  const { kind, message, code, param, retryAfterMs, hint, upstream, window } = value
  return { [ERROR_MEMBER]: { kind, message, code, param, retryAfterMs, hint, upstream, window } }
}

function unpackError(_: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value
  const packed = value[ERROR_MEMBER]
  if (!isJsonObject(packed) || typeof packed["kind"] !== "string" || !(packed["kind"] in ERROR_KINDS)) return value
  // Written by `packError`; the kind is one of the catalogue's.
  const { kind, message, ...options } = packed as unknown as GatewayErrorOptions &
    Pick<GatewayError, "kind" | "message">
  return new GatewayError(kind, message, options)
}
