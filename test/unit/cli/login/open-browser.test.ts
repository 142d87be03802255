/** Which program opens an address, and what happens where there is none. */

import { expect, test } from "bun:test"

import { openBrowser, openerOf } from "#cli/login/open-browser.ts"

test("each system has its own opener", () => {
  expect(openerOf("darwin", {})).toEqual(["open"])
  expect(openerOf("linux", { WAYLAND_DISPLAY: "wayland-0" })).toEqual(["xdg-open"])
  expect(openerOf("linux", { DISPLAY: ":0" })).toEqual(["xdg-open"])
  // cmd.exe, which knows `start`, would cut the address at its first `&`.
  expect(openerOf("win32", {})).toEqual(["rundll32", "url.dll,FileProtocolHandler"])
})

test("a Linux without a display is not asked: its opener might take over the terminal", () => {
  expect(openerOf("linux", { DISPLAY: "" })).toBeUndefined()
  expect(openBrowser("http://127.0.0.1/", {})).toBe(false)
})

test("an opener that is not installed is no failure", () => {
  expect(openBrowser("http://127.0.0.1/", { DISPLAY: ":0", PATH: "/nonexistent" })).toBe(false)
})
