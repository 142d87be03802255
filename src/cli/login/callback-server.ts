/** The small server on loopback to which the sign-in page sends the browser back. */

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { DIRECT_EGRESS } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"

import { resultPage } from "./result-page.ts"

/** The only ports the sign-in service sends browsers of this client id to (codex-rs/login, https://github.com/openai/codex). */
export const LOGIN_PORTS: readonly number[] = [1455, 1457]

/** What the server does with its visitors. */
export type CallbackHandlers = {
  /** Gets the whole address; its answer is what the browser shows. */
  readonly onCallback: (address: string) => Promise<Response>
  /** Another sign-in wants the port. */
  readonly onCancel: () => void
}

/** A server that waits. */
export type CallbackServer = {
  /** The address the page has to be told. The host is the literal `localhost`: no other is accepted there. */
  readonly redirectUri: string
  /** Lets a running answer finish, then frees the port. */
  readonly stop: () => Promise<void>
}

/** Where to listen. */
export type CallbackPlace = {
  /** Tried in turn; 0 = any free one. */
  readonly ports: readonly number[]
  readonly signal: AbortSignal
}

/** How long a sign-in that was asked to leave may take. */
const CANCEL_MS = 2_000
const LEAVE_TRIES = 10
const LEAVE_PAUSE_MS = 100
const STOP_MS = 1_000

/** Listens on the first port that is free or becomes free. Throws `invalid-request` when none does. */
export async function startCallbackServer(place: CallbackPlace, handlers: CallbackHandlers): Promise<CallbackServer> {
  for (const port of place.ports) {
    const server = listen(port, handlers) ?? (await takeOver(port, place, handlers))
    if (server !== undefined) return server
  }
  throw new GatewayError(
    "invalid-request",
    `The sign-in needs port ${place.ports.join(" or ")}, and other programs hold it.`,
    {
      hint: "End the program that listens there, or use --device or --no-browser, which need no port.",
    },
  )
}

/** Asks a sign-in that was left open to give its port up. */
async function takeOver(port: number, place: CallbackPlace, handlers: CallbackHandlers) {
  await askToLeave(port, place.signal)
  for (let attempt = 0; attempt < LEAVE_TRIES; attempt++) {
    const server = listen(port, handlers)
    if (server !== undefined) return server
    await Bun.sleep(LEAVE_PAUSE_MS)
  }
  return undefined
}

async function askToLeave(port: number, signal: AbortSignal): Promise<void> {
  // Never through a proxy: the other sign-in is on this machine.
  const sender = makeSender({ egress: DIRECT_EGRESS, clock: systemClock })
  const url = `http://127.0.0.1:${port}/cancel`
  try {
    const wait = AbortSignal.any([signal, AbortSignal.timeout(CANCEL_MS)])
    const reply = await sender.send({ method: "GET", url, headers: {}, egress: undefined }, wait)
    await reply.body?.cancel()
  } catch (error) {
    // Whoever holds the port does not answer as a sign-in would: the tries that follow show whether it went.
    if (signal.aborted) throw error
  } finally {
    sender.close()
  }
}

function listen(port: number, handlers: CallbackHandlers): CallbackServer | undefined {
  try {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port,
      // The answer waits for the exchange of the code, which may take half a minute.
      idleTimeout: 60,
      development: false,
      fetch: request => route(request, handlers),
    })
    return {
      redirectUri: `http://localhost:${server.port}/auth/callback`,
      stop: () => stopSoon(server),
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined
    throw error
  }
}

async function stopSoon(server: Bun.Server<undefined>): Promise<void> {
  await Promise.race([server.stop(), Bun.sleep(STOP_MS)])
  await server.stop(true)
}

function route(request: Request, handlers: CallbackHandlers): Promise<Response> | Response {
  const { pathname } = new URL(request.url)
  if (request.method !== "GET") return resultPage(405, "Not possible", ["Only a sign-in is answered here."])
  if (pathname === "/auth/callback") return handlers.onCallback(request.url)
  if (pathname === "/cancel") {
    handlers.onCancel()
    return resultPage(200, "Sign-in cancelled", ["You can close this page."])
  }
  return resultPage(404, "Nothing here", ["Only a sign-in is answered here."])
}
