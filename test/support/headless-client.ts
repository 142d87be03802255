/** Runs a command line client in a home and a work folder of its own, with nothing of this machine's environment. */

import { mkdir, mkdtemp } from "node:fs/promises"
import { join } from "node:path"

/** Where one user of a client keeps what it remembers, and where it works. */
export type ClientHome = { readonly home: string; readonly work: string }

/** One run. */
export type HeadlessRun = {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** It had to be ended because its time was up. */
  readonly isLate: boolean
}

/** What to run. `env` adds to what every client gets. */
export type HeadlessOptions = {
  readonly command: readonly string[]
  readonly in: ClientHome
  readonly env: Readonly<Record<string, string>>
  /** Where requests to any other host end: a proxy that refuses. */
  readonly proxy?: string
  /** Absent = as long as it takes. */
  readonly limitMs?: number
}

/** Where whatever a client wants from elsewhere ends: nobody listens there. */
const NOWHERE = "http://127.0.0.1:9"

/** Makes a home nobody has used, below `folder`. */
export async function freshHome(folder: string, name: string): Promise<ClientHome> {
  const home = await mkdtemp(join(folder, `${name}-`))
  const work = join(home, "work")
  await mkdir(work)
  return { home, work }
}

/** Runs a client to its end, its standard input closed. */
export async function runHeadless(options: HeadlessOptions): Promise<HeadlessRun> {
  const proxy = options.proxy ?? NOWHERE
  const child = Bun.spawn([...options.command], {
    cwd: options.in.work,
    env: {
      HOME: options.in.home,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      NO_COLOR: "1",
      TERM: "dumb",
      CI: "1",
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      NO_PROXY: "127.0.0.1",
      ...options.env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // A group of its own: some clients start themselves a second time, and the end of one is to be the end of both.
    detached: true,
  })
  let isLate = false
  const endGroup = () => {
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch {
      // Everybody has gone by themselves.
    }
  }
  const { limitMs } = options
  const late =
    limitMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true
          endGroup()
        }, limitMs)
  // What it has left running would hold its output open.
  void child.exited.then(endGroup)
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const exitCode = await child.exited
  clearTimeout(late)
  return { exitCode, stdout, stderr, isLate }
}
