/** What tests of a takeover share: a gateway over the simulator, and what is looked at when another process has replaced it. */

import { Database } from "bun:sqlite"
import { expect } from "bun:test"
import { join } from "node:path"

import { type FaultGateway, type FaultOptions, startFaultGateway, until } from "../../faults/fixture.ts"

/** Gateways that end with their test. */
export type Started = {
  readonly start: (options?: FaultOptions) => Promise<FaultGateway>
  readonly stopAll: () => Promise<void>
}

/** One process of a gateway. */
export type Process = ReturnType<FaultGateway["process"]>

/** Keeps what was started. */
export function makeStarted(): Started {
  const started: FaultGateway[] = []
  return {
    start: async options => {
      const gateway = await startFaultGateway(options)
      started.push(gateway)
      return gateway
    },
    stopAll: async () => {
      for (const gateway of started.splice(0)) await gateway.stop()
    },
  }
}

/** Resolves when a replaced process has finished its answers. */
export function hasStopped(one: Process): Promise<void> {
  return until("the old process has ended", () => /"stopped"/.test(one.output()), 20_000)
}

/** Replaces the running process; returns the old one, which may still have answers to finish. */
export async function takeOver(gateway: FaultGateway): Promise<Process> {
  const old = gateway.process()
  await gateway.startAgain("--takeover")
  expect(gateway.process().pid).not.toBe(old.pid)
  return old
}

/** How often each refresh token was used. */
export function exchangesByToken(gateway: FaultGateway): readonly number[] {
  const tokens = gateway.control.recorded({ path: "/oauth/token" }).map(({ body }) => JSON.stringify(body))
  return [...Map.groupBy(tokens, text => /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? text).values()].map(
    uses => uses.length,
  )
}

/** Rows of the request log. */
export function loggedRequests(gateway: FaultGateway): number {
  using database = new Database(join(gateway.folder, "data", "log.db"), { readonly: true })
  return database.query<{ rows: number }, []>("select count(*) as rows from requests").get()?.rows ?? 0
}
