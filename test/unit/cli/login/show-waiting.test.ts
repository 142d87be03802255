/** The line that shows a wait. */

import { expect, test } from "bun:test"

import { showWaiting } from "#cli/login/show-waiting.ts"

test("a terminal gets one line that is written over, a log gets whole lines", () => {
  const said = (isTerminal: boolean) => {
    let text = ""
    const write = (part: string) => {
      text += part
    }
    showWaiting("Waiting", { write, clock: () => 0, isTerminal })()
    return text
  }
  expect(said(true)).toBe("\rWaiting … 0 s (Ctrl-C cancels)\n")
  expect(said(false)).toBe("Waiting … 0 s\n")
})
