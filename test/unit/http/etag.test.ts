import { expect, test } from "bun:test"

import { holdsVersion } from "#http/etag.ts"

test.each([
  ['W/"a"', true],
  ['"a"', true],
  ['"b", W/"a"', true],
  ["*", true],
  ['"b"', false],
  ["", false],
  [null, false],
])('If-None-Match %p against W/"a" is %p', (header, holds) => {
  expect(holdsVersion(header, 'W/"a"')).toBe(holds)
})
