/** The compiled binary for tests and benches: built once a run, started and stopped like an operator would. */

import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"

import { ROOT } from "./source-tree.ts"

const cache = new Map<"path", Promise<string>>()

/**
 * Returns the path of a binary compiled from the present sources; built on the first call (about a second).
 * `SLUICE_BINARY` names one that is used instead.
 */
export function compiledBinary(): Promise<string> {
  const known = cache.get("path")
  if (known !== undefined) return known
  const building = build()
  cache.set("path", building)
  return building
}

async function build(): Promise<string> {
  const given = process.env["SLUICE_BINARY"]
  if (given !== undefined && given !== "") return given
  const folder = join(ROOT, "dist", "test")
  mkdirSync(folder, { recursive: true })
  // Runs at the same time each build their own and put it in one place, so that only one is left behind.
  const outdir = mkdtempSync(join(folder, "build-"))
  try {
    const command = [process.execPath, "scripts/build-binary.ts", "--outdir", outdir]
    const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    if (code !== 0) throw new Error(`the binary does not build:\n${said}`)
    const name = process.platform === "win32" ? "sluice.exe" : "sluice"
    renameSync(join(outdir, name), join(folder, name))
    return join(folder, name)
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}

/** A started gateway. */
export type StartedGateway = {
  readonly url: string
  readonly pid: number
  /** Milliseconds from process start to the line that says `listening`. */
  readonly readyMs: number
  /** Everything it has printed so far, both streams. */
  readonly output: () => string
  /** Sends SIGTERM and returns the exit code. */
  readonly stop: () => Promise<number>
}

/** What to start; `command` is the program with its arguments, which name `url` as the place to listen. */
export type StartOptions = {
  readonly command: readonly string[]
  readonly url: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** A gateway that may not listen yet. */
export type LaunchedGateway = Omit<StartedGateway, "readyMs"> & {
  /** As `readyMs` of a started one; rejects with its output when it ends before that. */
  readonly ready: Promise<number>
  /** Resolves with the exit code, however it ends. */
  readonly ended: Promise<number>
  /** Ends it as a power cut would; resolves once it is gone. */
  readonly kill: () => Promise<void>
}

/** Launches a gateway without waiting for it. */
export function launchGateway(options: StartOptions): LaunchedGateway {
  const startedAtMs = performance.now()
  const child = Bun.spawn([...options.command], {
    cwd: options.cwd,
    env: { ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  let output = ""
  let isListening = false
  const ready = Promise.withResolvers<number>()
  // Whoever kills it during the start does not wait for it to be ready.
  ready.promise.catch(() => undefined)
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true })
      // Looked for until it is there: the output of a long run is megabytes.
      isListening ||= /listening/i.test(output)
      if (isListening) ready.resolve(performance.now() - startedAtMs)
    }
  }
  const ended = Promise.all([read(child.stdout), read(child.stderr), child.exited]).then(([, , code]) => {
    ready.reject(new Error(`the gateway ended with code ${code} before it listened:\n${output}`))
    return code
  })
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return {
    url: options.url,
    pid: child.pid,
    ready: ready.promise,
    ended,
    output: () => output,
    stop: () => end("SIGTERM"),
    kill: async () => {
      await end("SIGKILL")
    },
  }
}

/** Starts a gateway and waits for its `listening` line. Rejects with its output when it ends before that. */
export async function startGateway(options: StartOptions): Promise<StartedGateway> {
  const { url, pid, output, stop, ready } = launchGateway(options)
  return { url, pid, output, stop, readyMs: await ready }
}

/** Below the range from which the system takes the near ends of connections: those could take the port in the meantime. */
const FIRST_PORT = 12_000
const PORTS = 20_000

/** Returns a loopback port that was free a moment ago. */
export function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    try {
      void Bun.serve({ port, hostname: "127.0.0.1", reusePort: false, fetch: () => new Response() }).stop(true)
      return port
    } catch {
      // Taken: another one will not be.
    }
  }
  throw new Error("no free port")
}
