/** Asks a running gateway what a client would meet: is it one, does a key work, is a model served. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject, type JsonObject, numberAt, parseJsonObject, stringAt } from "#core/json.ts"

import type { ClientView } from "./client.ts"

const TIMEOUT_MS = 5000

/** What listens at the address. */
export type Greeting =
  | { readonly type: "sluice"; readonly available: number; readonly total: number }
  | { readonly type: "other"; readonly reason: string }
  | { readonly type: "silent"; readonly reason: string }

/** What became of a key. */
export type KeyAnswer =
  | { readonly type: "accepted"; readonly models: readonly string[] }
  | { readonly type: "refused"; readonly status: number }
  | { readonly type: "failed"; readonly reason: string }

/** A gateway to be asked. No other address is ever contacted. */
export type AskedGateway = {
  readonly origin: string
  readonly greet: () => Promise<Greeting>
  /** Asks as a client would. `key` absent = without one. */
  readonly tryKey: (key: string | undefined, header: ClientView["keyHeader"]) => Promise<KeyAnswer>
  /** Any name that would be served, not only those of the list. */
  readonly serves: (model: string, key: string | undefined) => Promise<boolean>
  /** Tokens that fit into the model; undefined when that is not told. */
  readonly windowOf: (model: string, key: string | undefined) => Promise<number | undefined>
}

type Reply = { readonly status: number; readonly body: JsonObject | undefined }

/** Goes straight there: Bun's `fetch` would send even a loopback request through `HTTP_PROXY`. */
type DirectInit = BunFetchRequestInit & { readonly proxy: NonNullable<BunFetchRequestInit["proxy"]> }

/** Makes the questions; nothing is sent before the first one. */
export function askGateway(origin: string, signal: AbortSignal): AskedGateway {
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Reply> => {
    const init: DirectInit = {
      headers,
      // A key must not follow to wherever the address leads.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      proxy: false,
    }
    try {
      const response = await fetch(`${origin}${path}`, init)
      return { status: response.status, body: parseJsonObject(await response.text()) }
    } catch (cause) {
      if (signal.aborted) throw new GatewayError("cancelled", "Cancelled.", { cause })
      const hint = `That was ${origin}. \`sluice health --url URL\` asks whether it is alive.`
      throw new GatewayError("upstream-unavailable", reasonOf(cause), { hint, cause })
    }
  }
  const bearer = (key: string | undefined) => (key === undefined ? {} : { authorization: `Bearer ${key}` })
  const modelPath = (model: string) => `/v1/models/${model.split("/").map(encodeURIComponent).join("/")}`
  return {
    origin,
    greet: async () => {
      try {
        return greetingOf(await get("/health"))
      } catch (cause) {
        return { type: "silent", reason: unreachable(cause) }
      }
    },
    tryKey: async (key, header) => {
      try {
        const value = header === "authorization" ? `Bearer ${key}` : (key ?? "")
        // The list of this form is the shortest; the header decides about the key alone.
        const { status, body } = await get("/v1/models/catalog", key === undefined ? {} : { [header]: value })
        if (status === 200) return { type: "accepted", models: namesIn(body) }
        if (status === 401 || status === 403) return { type: "refused", status }
        return { type: "failed", reason: `the list of models answered ${status}` }
      } catch (cause) {
        return { type: "failed", reason: unreachable(cause) }
      }
    },
    serves: async (model, key) => (await get(modelPath(model), bearer(key))).status === 200,
    windowOf: async (model, key) => {
      const { status, body } = await get(`${modelPath(model)}/info`, bearer(key))
      return status === 200 && body !== undefined ? numberAt(body, "context_window") : undefined
    },
  }
}

/** Health needs no key and has a shape of its own. */
function greetingOf({ status, body }: Reply): Greeting {
  const available = body === undefined ? undefined : numberAt(body, "available")
  const total = body === undefined ? undefined : numberAt(body, "total")
  if (status === 200 && available !== undefined && total !== undefined) return { type: "sluice", available, total }
  return {
    type: "other",
    reason: `/health answered ${status}${body === undefined ? " without JSON" : " in another shape"}`,
  }
}

/** Those that lists show; hidden ones are served too, but not suggested. */
function namesIn(body: JsonObject | undefined): readonly string[] {
  const list = (body === undefined ? undefined : arrayAt(body, "data")) ?? []
  const shown = list.filter(isJsonObject).filter(one => stringAt(one, "visibility") !== "hide")
  return shown.flatMap(one => stringAt(one, "id") ?? [])
}

/** Why there was no answer; anything else is passed on. */
function unreachable(cause: unknown): string {
  if (cause instanceof GatewayError && cause.kind === "upstream-unavailable") return cause.message
  throw cause
}

function reasonOf(cause: unknown): string {
  if (cause instanceof DOMException && cause.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
  const isClosed = code === "ConnectionRefused" || code === "ECONNREFUSED"
  return isClosed ? "nothing listens there" : `it cannot be reached (${code})`
}
