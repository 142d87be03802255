/** What `fetch` throws means the same on the other side of the border between threads. */

import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { readFault, thrownBy } from "#relay/fault.ts"
import { freezeError, thawError } from "#relay/frozen-error.ts"
import { readTransportError, TransportFault, transportFaultOf } from "#transport/transport-error.ts"

const across = (cause: unknown) => thrownBy(structuredClone(readFault(cause)))
const context = { phase: "headers", proxied: true, client: new AbortController().signal } as const

test.each(["ECONNREFUSED", "ECONNRESET", "ConnectionRefused", "CERT_HAS_EXPIRED", "ENOTFOUND"])(
  "a failure of the network is read as if it had not travelled: %s",
  code => {
    const thrown = Object.assign(new TypeError("it broke"), { code })
    const here = readTransportError(thrown, context)
    const there = readTransportError(across(thrown), context)
    expect(there.kind).toBe(here.kind)
    expect(there.message).toBe(here.message)
    expect({ ...transportFaultOf(there), cause: undefined }).toEqual({ ...transportFaultOf(here), cause: undefined })
  },
)

test("a proxy's refusal keeps its status and its headers", () => {
  const headers = new Headers({ "proxy-authenticate": "Basic", "retry-after": "3" })
  const thrown = across(Object.assign(new Error("refused"), { code: "ERR", status: 407, headers }))
  expect(thrown).toMatchObject({ status: 407, code: "ERR" })
  expect("headers" in thrown && thrown.headers instanceof Headers && thrown.headers.get("retry-after")).toBe("3")
})

test("an error of the catalogue keeps everything that clients and operators are told", () => {
  const error = new GatewayError("context-too-long", "Too long.", {
    code: "context_length_exceeded",
    param: "input",
    retryAfterMs: 1_500,
    hint: "Shorten it.",
    upstream: { status: 400, code: "context_length_exceeded" },
  })
  const there = thawError(structuredClone(freezeError(error)))
  expect(there).toBeInstanceOf(GatewayError)
  const { kind, message, code, param, retryAfterMs, hint, upstream, status } = error
  expect(there).toMatchObject({ kind, message, code, param, retryAfterMs, hint, upstream, status })
})

test("the transport's own cause goes along", () => {
  const fault = { phase: "body", egressAtFault: true, code: "ECONNRESET" } as const
  const error = new GatewayError("upstream-unavailable", "It broke.", { cause: new TransportFault(fault, undefined) })
  expect(transportFaultOf(thawError(structuredClone(freezeError(error))))).toMatchObject(fault)
})

test("a bug is an internal error, and nothing of it is told", () => {
  const there = across(new RangeError("secret detail"))
  expect(there).toMatchObject({ kind: "internal" })
  expect(there.message).not.toContain("secret")
})
