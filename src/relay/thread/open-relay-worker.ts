/** Starts a relay thread, from a source tree or from inside the compiled binary. */

/** Where a compiled program's files seem to lie, on Windows and elsewhere. */
const COMPILED = /\$bunfs|~BUN/

/** Name of the thread's file inside the binary, as `scripts/build-binary.ts` puts it there. */
const INSIDE_BINARY = "./relay/thread/relay-worker.ts"

/** Opens the thread; it does not keep the process alive. */
export function openRelayWorker(): Worker {
  const isCompiled = COMPILED.test(import.meta.url)
  const source = isCompiled ? INSIDE_BINARY : new URL("./relay-worker.ts", import.meta.url).href
  return new Worker(source, { ref: false })
}
