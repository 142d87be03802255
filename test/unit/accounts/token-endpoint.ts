/** A token endpoint on loopback with strict one-time refresh tokens, and account files to go with it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { GatewayError } from "#core/errors.ts"
import type { RandomBytes } from "#core/ids.ts"
import type { SendUpstream } from "#core/upstream.ts"

/** Seconds of the manual clock's start; tokens are issued relative to it. */
export const START_SEC = 1_800_000_000
export const DAY_SEC = 86_400

/** Always the same "random" bytes: jitter is 0. */
export const noJitter: RandomBytes = bytes => bytes.fill(0)

/** An unsigned JWT as the upstream issues them. */
export function makeJwt(options: {
  user?: string
  workspace?: string
  email?: string
  plan?: string
  iat?: number
  exp?: number
  salt?: string
}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const auth = {
    chatgpt_user_id: options.user,
    chatgpt_account_id: options.workspace,
    chatgpt_plan_type: options.plan ?? "plus",
  }
  const payload = {
    iat: options.iat ?? START_SEC,
    exp: options.exp ?? START_SEC + 10 * DAY_SEC,
    email: options.email,
    salt: options.salt,
    "https://api.openai.com/auth": auth,
  }
  return `${part({ alg: "RS256" })}.${part(payload)}.c2ln`
}

type Gate = { readonly promise: Promise<void>; readonly open: () => void }

/** Starts the endpoint. `valid` maps the refresh tokens that work to the user they belong to. */
export function startTokenEndpoint() {
  const valid = new Map<string, string>()
  const calls: string[] = []
  let count = 0
  let gate: Gate | undefined
  let answer: (() => Response) | undefined
  let loseAnswers = 0
  let fixedTimes: { readonly iat: number; readonly exp: number } | undefined
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async request => {
      const body = (await request.json()) as { refresh_token: string; grant_type: string; client_id: string }
      calls.push(body.refresh_token)
      await gate?.promise
      if (answer !== undefined) return answer()
      const user = valid.get(body.refresh_token)
      if (user === undefined || body.grant_type !== "refresh_token") {
        return Response.json({ error: { code: "refresh_token_reused", message: "used" } }, { status: 401 })
      }
      valid.delete(body.refresh_token)
      count += 1
      const refreshToken = `rt_${user}_${count}`
      valid.set(refreshToken, user)
      const issued = START_SEC + 100 * count
      const token = makeJwt({
        user,
        workspace: `ws-${user}`,
        iat: issued,
        exp: issued + 10 * DAY_SEC,
        salt: `${count}`,
        ...fixedTimes,
      })
      return Response.json({ access_token: token, refresh_token: refreshToken, expires_in: 10 * DAY_SEC })
    },
  })
  const send: SendUpstream = async (request, signal) => {
    try {
      const reply = await fetch(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        signal,
      })
      if (loseAnswers > 0) {
        loseAnswers -= 1
        await reply.text()
        throw Object.assign(new Error("reset"), { code: "ECONNRESET" })
      }
      return { status: reply.status, headers: reply.headers, body: reply.body ?? undefined }
    } catch (cause) {
      throw new GatewayError(signal.aborted ? "timeout" : "upstream-unavailable", "no answer", { cause })
    }
  }
  return {
    endpoint: { url: `http://127.0.0.1:${server.port}/oauth/token`, clientId: "test-client" },
    send,
    valid,
    calls,
    /** The endpoint holds its answers until the returned function is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = { promise, open: resolve }
      return () => {
        gate = undefined
        resolve()
      }
    },
    answerWith: (make: (() => Response) | undefined) => {
      answer = make
    },
    /** The next exchanges are carried out, but their answers never arrive. */
    loseNextAnswers: (times: number) => {
      loseAnswers = times
    },
    /** Every token from now on carries these times, as tokens do that are issued in quick succession. */
    issueAll: (times: { readonly iat: number; readonly exp: number }) => {
      fixedTimes = times
    },
    stop: () => server.stop(true),
  }
}

/** A directory of its own for one test. */
export function makeTestDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "accounts-test-"))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Writes a flat account file whose access token runs out `expSec` after the start. Returns its path. */
export function writeFlatFile(
  directory: string,
  user: string,
  options: {
    readonly refreshToken?: string
    readonly expSec?: number
    readonly iatSec?: number
    readonly name?: string
  } = {},
): string {
  const path = join(directory, `${options.name ?? user}.json`)
  const iat = START_SEC + (options.iatSec ?? -100)
  const exp = START_SEC + (options.expSec ?? 5 * DAY_SEC)
  const entry = {
    type: "codex",
    access_token: makeJwt({ user, workspace: `ws-${user}`, iat, exp, email: `${user}@example.com` }),
    refresh_token: options.refreshToken ?? `rt_${user}_0`,
    id_token: "",
    account_id: `ws-${user}`,
    email: `${user}@example.com`,
    expired: new Date(exp * 1000).toISOString(),
    last_refresh: new Date(iat * 1000).toISOString(),
    websockets: true,
  }
  writeFileSync(path, `${JSON.stringify(entry, undefined, 2)}\n`)
  return path
}
