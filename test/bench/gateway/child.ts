/** A process of the bench that answers messages. */

import { join } from "node:path"

import { pinned } from "./processor.ts"

/** A started child. */
export type BenchChild = {
  readonly pid: number
  /** The next message it sends. */
  readonly next: () => Promise<unknown>
  /** Sends a message and waits for `{ result }`; rejects with `{ failure }`. */
  readonly ask: (message: unknown) => Promise<unknown>
  readonly stop: () => Promise<void>
}

/** Starts a file of this folder on the processor of the load. */
export function startChild(file: string): BenchChild {
  const heard: unknown[] = []
  const waiting: PromiseWithResolvers<unknown>[] = []
  const child = Bun.spawn([...pinned("load"), process.execPath, join(import.meta.dir, file)], {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    serialization: "json",
    ipc: message => {
      const waiter = waiting.shift()
      if (waiter === undefined) heard.push(message)
      else waiter.resolve(message)
    },
    onExit: (_, code) => {
      for (const waiter of waiting) waiter.reject(new Error(`${file} ended with code ${code}`))
    },
  })
  const next = (): Promise<unknown> => {
    if (heard.length > 0) return Promise.resolve(heard.shift())
    const waiter = Promise.withResolvers<unknown>()
    waiting.push(waiter)
    return waiter.promise
  }
  return {
    pid: child.pid,
    next,
    ask: async message => {
      const reply = next()
      child.send(message)
      const said = (await reply) as { result?: unknown; failure?: string }
      if (said.failure !== undefined) throw new Error(`${file}: ${said.failure}`)
      return said.result
    },
    stop: async () => {
      child.kill()
      await child.exited
    },
  }
}
