import { expect, test } from "bun:test"

import fc from "fast-check"

import { repairDataUrl } from "#protocols/openai-responses/encode/data-url.ts"

test("URL-safe and unpadded base64 is brought to the standard form", () => {
  expect(repairDataUrl("data:image/png;base64,-_8")).toBe("data:image/png;base64,+/8=")
})

test("addresses and data URLs of other kinds are left alone", () => {
  for (const url of ["https://e.com/a-b_c", "data:text/plain,a-b", "data:broken", ""])
    expect(repairDataUrl(url)).toBe(url)
})

test("any bytes survive the repair of their URL-safe spelling", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      const url = `data:image/png;base64,${Buffer.from(bytes).toString("base64url")}`
      expect(repairDataUrl(url)).toBe(`data:image/png;base64,${Buffer.from(bytes).toString("base64")}`)
    }),
  )
})
