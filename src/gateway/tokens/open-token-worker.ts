/** Starts the thread that counts tokens, from a source tree or from inside the compiled binary. */

/** Where a compiled program's files seem to lie, on Windows and elsewhere. */
const COMPILED = /\$bunfs|~BUN/

/** Name of the thread's file inside the binary, as `scripts/build-binary.ts` puts it there. */
const INSIDE_BINARY = "./gateway/tokens/token-worker.ts"

/** Opens the thread; it does not keep the process alive. */
export function openTokenWorker(): Worker {
  const isCompiled = COMPILED.test(import.meta.url)
  return new Worker(isCompiled ? INSIDE_BINARY : new URL("./token-worker.ts", import.meta.url).href, { ref: false })
}
