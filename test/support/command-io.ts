/** A world for a command that writes down what it says. */

import type { CommandIo } from "#cli/command.ts"

/** The world and what was said to it so far. */
export type RecordedIo = { readonly io: CommandIo; readonly stdout: () => string; readonly stderr: () => string }

/** Makes a world without a terminal, with an empty environment and its own folder. */
export function recordIo(given: Partial<CommandIo> = {}): RecordedIo {
  let stdout = ""
  let stderr = ""
  const io: CommandIo = {
    stdout: text => {
      stdout += text
    },
    stderr: text => {
      stderr += text
    },
    env: {},
    cwd: "/",
    stdin: { isTerminal: false, text: async () => "", keys: noKeys },
    isTerminal: false,
    signal: new AbortController().signal,
    ...given,
  }
  return { io, stdout: () => stdout, stderr: () => stderr }
}

/** A keyboard nobody sits at. */
async function* noKeys(): AsyncIterable<string> {}
