/** The entry point: the only file that acts on import. */

import { raiseRequestCeiling } from "#transport/request-ceiling.ts"
import { thisProcess } from "#transport/this-process.ts"

// First of all, because it may replace the process: nothing must be open and little loaded by then.
const ceiling = raiseRequestCeiling(thisProcess())

const { runCommandLine } = await import("#cli/command-line.ts")

const stopping = new AbortController()
for (const [signal, exitCode] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.on(signal, () => {
    // The first signal asks, the second one does not wait. A token exchange under way is then lost to this run; its
    // intent is on the disk, so the next start knows that the token may be spent.
    if (stopping.signal.aborted) process.exit(exitCode)
    stopping.abort(signal)
  })
}

// A reader that has gone away (`sluice … | head`) ends the program quietly.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", cause => {
    if (!("code" in cause && cause.code === "EPIPE")) throw cause
    process.exit(0)
  })
}

/** Settled when the last text has left for its reader: a pipe takes 64 KiB at a time, and exiting drops the rest. */
const lastWrite: Record<"stdout" | "stderr", Promise<void>> = { stdout: Promise.resolve(), stderr: Promise.resolve() }

function write(name: "stdout" | "stderr", text: string): void {
  const { promise, resolve } = Promise.withResolvers<void>()
  // A failed write is the error handler's above; the callback comes in either case.
  process[name].write(text, () => resolve())
  lastWrite[name] = promise
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: text => write("stdout", text),
  stderr: text => write("stderr", text),
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY === true,
  signal: stopping.signal,
  ...(ceiling.warning !== undefined && { startWarning: ceiling.warning }),
})
await Promise.all([lastWrite.stdout, lastWrite.stderr])
process.exit()
