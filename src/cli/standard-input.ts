/** What a command reads: standard input as one text, or line by line from a keyboard without showing it. */

import { isatty } from "node:tty"

/** Standard input, so that tests can stand in for it. */
export type CommandInput = {
  readonly isTerminal: boolean
  /** Everything until its end. */
  readonly text: () => Promise<string>
  /** What is typed, as it is typed and not shown; reading ends when the iterator is left. */
  readonly keys: () => AsyncIterable<string>
}

const STANDARD_INPUT = 0

/** The input of this process. Opened by the first use: most commands read nothing. */
export function standardInput(): CommandInput {
  return { isTerminal: isatty(STANDARD_INPUT), text: () => Bun.stdin.text(), keys: readKeys }
}

/** Without raw mode the terminal shows what is typed and cuts lines at 4,095 characters; access tokens come close to that. */
async function* readKeys(): AsyncGenerator<string> {
  process.stdin.setRawMode(true)
  try {
    const decoder = new TextDecoder()
    for await (const piece of process.stdin) yield decoder.decode(piece, { stream: true })
  } finally {
    process.stdin.setRawMode(false)
  }
}
