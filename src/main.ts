/** The entry point: the only file that acts on import. */

import { raiseRequestCeiling } from "#transport/request-ceiling.ts"
import { thisProcess } from "#transport/this-process.ts"

// First of all, because it may replace the process: nothing must be open and little loaded by then.
const ceiling = raiseRequestCeiling(thisProcess())

const { runCommandLine } = await import("#cli/command-line.ts")
const { standardInput } = await import("#cli/standard-input.ts")

const stopping = new AbortController()
for (const [signal, exitCode] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.on(signal, () => {
    // The first signal asks, the second one does not wait. A token exchange under way is then lost to this run; its
    // intent is on the disk, so the next start knows that the token may be spent.
    if (stopping.signal.aborted) process.exit(exitCode)
    stopping.abort(signal)
  })
}

interface Writer {
  readonly write: (text: string) => void
  /** Resolves when the last text has left for its reader: a pipe takes 64 KiB at a time, and exiting drops the rest. */
  readonly settled: () => Promise<void>
}

/** Opened by the first text: loading a stream takes 7 ms, and a server writes only its log, which goes another way. */
function makeWriter(open: () => NodeJS.WriteStream): Writer {
  let stream: NodeJS.WriteStream | undefined
  let last = Promise.resolve()
  return {
    write: text => {
      stream ??= open().on("error", endQuietly)
      const { promise, resolve } = Promise.withResolvers<void>()
      // A failed write goes to the error handler; the callback comes in either case.
      stream.write(text, () => resolve())
      last = promise
    },
    settled: () => last,
  }
}

/** A reader that has gone away (`sluice … | head`) ends the program without a word. */
function endQuietly(cause: Error): void {
  if (!("code" in cause && cause.code === "EPIPE")) throw cause
  process.exit(0)
}

const stdout = makeWriter(() => process.stdout)
const stderr = makeWriter(() => process.stderr)

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: stdout.write,
  stderr: stderr.write,
  env: process.env,
  cwd: process.cwd(),
  get stdin() {
    return standardInput()
  },
  get isTerminal() {
    return process.stdout.isTTY === true
  },
  signal: stopping.signal,
  ...(ceiling.warning !== undefined && { startWarning: ceiling.warning }),
})
await Promise.all([stdout.settled(), stderr.settled()])
process.exit()
