/** Ollama's port: opened, moved and closed as the configuration says, while the gateway runs. */

import type { OllamaConfig } from "#config/ollama-config.ts"
import type { CancelTimer, Clock, Timers } from "#core/clock.ts"
import { type GatewayError, toGatewayError } from "#core/errors.ts"
import { drain } from "#http/drain.ts"
import { listen } from "#http/listen.ts"
import type { Log } from "#telemetry/log.ts"

import type { Serve } from "./application.ts"
import { closedStatus, type OllamaStatus } from "./status.ts"

/** What the port needs. */
export type OllamaBridgeParts = {
  /** The configuration in force; read again at each use. */
  readonly config: () => OllamaConfig
  /** Builds what is served; called once, when the port is opened for the first time. */
  readonly makeApplication: () => Serve
  /** Whether the process that this one replaces listens at an address still; default: there is none. */
  readonly isJoined?: (address: { readonly host: string; readonly port: number }) => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Pick<Log, "info" | "warn">
  /** How long answers may still run when the port is closed or moved. */
  readonly graceMs: () => number
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** The port's handle. */
export type OllamaBridge = {
  /** Brings the port in line with the configuration; called at the start and after each change. Never throws. */
  readonly follow: () => void
  readonly status: () => OllamaStatus
  /** Closes the port for good; `onLate` is run when answers are still running after the time of grace. */
  readonly stop: (onLate: () => Promise<void>) => Promise<void>
}

/** Whoever has the port may leave: Ollama itself, most of the time. */
const RETRY_MS = 30_000

type Open = {
  readonly address: string
  readonly server: ReturnType<typeof listen>
  readonly sinceMs: number
  /** Set when the port is closed: connections that stay open are served no longer. */
  isOver: boolean
}

type State = {
  open: Open | undefined
  failure: { readonly address: string; readonly error: GatewayError } | undefined
  serve: Serve | undefined
  cancelRetry: CancelTimer
  isStopped: boolean
}

/** Makes the port; nothing is opened before `follow` is called. */
export function makeOllamaBridge(parts: OllamaBridgeParts): OllamaBridge {
  const state: State = {
    open: undefined,
    failure: undefined,
    serve: undefined,
    cancelRetry: () => {},
    isStopped: false,
  }
  return {
    follow: () => follow(state, parts),
    status: () => statusOf(state, parts.config()),
    stop: async onLate => {
      state.isStopped = true
      state.cancelRetry()
      await close(state, parts, onLate)
    },
  }
}

function follow(state: State, parts: OllamaBridgeParts): void {
  if (state.isStopped) return
  state.cancelRetry()
  const { enabled, host, port } = parts.config()
  const address = enabled ? `${host.includes(":") ? `[${host}]` : host}:${port}` : undefined
  if (address !== undefined && address === state.open?.address) return
  if (state.open !== undefined) {
    parts.log.info({ url: state.open.server.url.origin }, "the Ollama port is closed")
    close(state, parts, undefined).catch(cause => parts.reportFailure("closing the Ollama port", cause))
  }
  if (address === undefined) state.failure = undefined
  else open(state, parts, address)
}

function open(state: State, parts: OllamaBridgeParts, address: string): void {
  const { host, port } = parts.config()
  try {
    state.serve ??= parts.makeApplication()
    const { serve } = state
    const opened: Open = {
      address,
      server: listen({ host, port, isJoined: parts.isJoined?.({ host, port }) ?? false }, request =>
        opened.isOver ? gone() : serve(request),
      ),
      sinceMs: parts.clock(),
      isOver: false,
    }
    state.open = opened
    state.failure = undefined
    parts.log.info({ url: opened.server.url.origin }, "the Ollama port is open")
  } catch (cause) {
    onFailure(state, parts, { address, error: toGatewayError(cause) })
  }
}

/** Said once: the port may stay taken for days. */
function onFailure(state: State, parts: OllamaBridgeParts, failure: NonNullable<State["failure"]>): void {
  const isNews = state.failure?.address !== failure.address
  state.failure = failure
  if (isNews) {
    const hint = "The gateway runs on without it and tries again. Stop the other program, or change ollama.port."
    parts.log.warn({ reason: failure.error.message, hint }, `the Ollama port ${failure.address} cannot be opened`)
  }
  state.cancelRetry = parts.timers.after(RETRY_MS, () => follow(state, parts))
}

async function close(
  state: State,
  { timers, graceMs }: OllamaBridgeParts,
  onLate: (() => Promise<void>) | undefined,
): Promise<void> {
  const { open: opened } = state
  if (opened === undefined) return
  state.open = undefined
  opened.isOver = true
  await drain(opened.server, { timers, graceMs: graceMs(), ...(onLate !== undefined && { onLate }) })
}

async function gone(): Promise<Response> {
  return Response.json({ error: "This port has been closed." }, { status: 503, headers: { connection: "close" } })
}

function statusOf({ open: opened, failure }: State, config: OllamaConfig): OllamaStatus {
  const closed = closedStatus(config)
  if (opened === undefined) return { ...closed, error: failure?.error.message ?? null }
  const { url, port } = opened.server
  return {
    ...closed,
    running: true,
    port: port ?? config.port,
    url: url.origin,
    since: new Date(opened.sinceMs).toISOString(),
  }
}
