/** The entry point: the only file that acts on import. */

import { raiseRequestCeiling } from "#transport/request-ceiling.ts"
import { thisProcess } from "#transport/this-process.ts"

// First of all, because it may replace the process: nothing must be open and little loaded by then.
const ceiling = raiseRequestCeiling(thisProcess())

const { runCommandLine } = await import("#cli/command-line.ts")

const stopping = new AbortController()
for (const [signal, exitCode] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.on(signal, () => {
    // The first signal asks, the second one does not wait: what has to survive is on the disk already.
    if (stopping.signal.aborted) process.exit(exitCode)
    stopping.abort(signal)
  })
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: text => void process.stdout.write(text),
  stderr: text => void process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY === true,
  signal: stopping.signal,
  ...(ceiling.warning !== undefined && { startWarning: ceiling.warning }),
})
process.exit()
