/** Client keys on the operators' surface as functions. */

import type { KeyOrder } from "#gateway/desk/key-order.ts"
import type { KeyReport } from "#gateway/desk/key-report.ts"
import type { DamagedKey } from "#gateway/desk/keys.ts"

import type { AdminRequest } from "./admin-connection.ts"

/** A key with its text, which is told once. */
export type CreatedKey = KeyReport & { readonly key: string }

/** All keys, and those whose rows cannot be read. */
export type KeyList = { readonly keys: readonly KeyReport[]; readonly damaged: readonly DamagedKey[] }

/** Orders for client keys. Names are ids, names or prefixes. */
export type KeyOrders = {
  readonly list: () => Promise<KeyList>
  readonly show: (name: string) => Promise<KeyReport>
  readonly create: (order: KeyOrder, text: string | undefined) => Promise<CreatedKey>
  readonly change: (name: string, order: KeyOrder) => Promise<KeyReport>
  readonly rotate: (name: string, text: string | undefined) => Promise<CreatedKey>
  readonly reset: (name: string) => Promise<KeyReport>
  /** Returns the id of the key that is gone. */
  readonly remove: (name: string) => Promise<string>
}

/** Asks the surface; the member is one the answer must have. */
type Ask = <Answer>(request: AdminRequest, member: string) => Promise<Answer>

const KEYS = "/api/admin/keys"

/** Makes the orders. */
export function makeKeyOrders(ask: Ask): KeyOrders {
  const at = (name: string, rest = "") => `${KEYS}/${encodeURIComponent(name)}${rest}`
  const send = (method: AdminRequest["method"], path: string, body: object): AdminRequest => ({
    method,
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  })
  return {
    list: () => ask({ method: "GET", path: KEYS }, "keys"),
    show: name => ask({ method: "GET", path: at(name) }, "id"),
    create: (order, key) => ask(send("POST", KEYS, { ...order, ...(key !== undefined && { key }) }), "key"),
    change: (name, order) => ask(send("PATCH", at(name), order), "id"),
    rotate: (name, key) => ask(send("POST", at(name, "/rotate"), key === undefined ? {} : { key }), "key"),
    reset: name => ask(send("POST", at(name, "/reset-usage"), {}), "id"),
    remove: async name =>
      (await ask<{ readonly deleted: string }>(send("DELETE", at(name), { confirm: true }), "deleted")).deleted,
  }
}
