/** Opens the operators' surface: of the gateway that runs, else of one in this process. */

import type { CommandIo } from "#cli/command.ts"
import { VERSION } from "#cli/version.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { isLoopbackName } from "#http/admission.ts"
import { IN_USE_CODE, type Owner, readOwner } from "#store/owner-lock.ts"

import { type AdminClient, makeAdminClient } from "./admin-client.ts"
import type { AdminConnection } from "./admin-connection.ts"
import { openLocalGateway } from "./local-gateway.ts"
import { reachableUrl, remoteGateway, UNREACHABLE_CODE } from "./remote-gateway.ts"

/** Which gateway, and how long to wait for a data folder that somebody else has. */
export type AdminWish = {
  readonly config: Config
  readonly io: Pick<CommandIo, "env" | "stderr" | "signal">
  /** Another machine's gateway, or any by its address. */
  readonly gateway?: URL | undefined
  /** Default 5 s: another command is done by then. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 5_000
const RETRY_MS = 100

/** Asks for a greeting first: whoever hands out the client knows that address and key are right. */
async function greeted(connection: AdminConnection, io: AdminWish["io"]): Promise<AdminClient> {
  const client = makeAdminClient(connection, io.signal)
  try {
    const { version } = await client.greet()
    if (version !== VERSION) {
      io.stderr(`warning: ${connection.where} is of version ${version}, this command of version ${VERSION}\n`)
    }
    return client
  } catch (cause) {
    await connection.close()
    throw cause
  }
}

function isUnencrypted({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && !isLoopbackName(hostname)
}

function openRemote(url: URL, { config, io }: AdminWish): Promise<AdminClient> {
  return greeted(remoteGateway({ url, adminKey: config.adminKey, timers: systemTimers }), io)
}

/** Why the folder's owner cannot be asked either. */
function inUse({ config }: AdminWish, { pid, url }: Owner, cause: GatewayError): GatewayError {
  const said = url === undefined ? "serves nowhere yet" : `does not answer at ${url}`
  return new GatewayError("internal", `${config.dataDir} is in use by process ${pid}, which ${said}.`, {
    code: IN_USE_CODE,
    hint: "It is starting, stopping, or another command at work. Try again in a moment.",
    cause,
  })
}

/** The gateway that has the folder; undefined when it cannot be reached now. */
async function openOwner(wish: AdminWish, owner: Owner): Promise<AdminClient | undefined> {
  const url = owner.url === undefined ? undefined : reachableUrl(owner.url)
  if (url === undefined) return undefined
  try {
    return await openRemote(url, wish)
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code === UNREACHABLE_CODE) return undefined
    throw cause
  }
}

async function tryOpen(wish: AdminWish): Promise<AdminClient | GatewayError> {
  const { config, io } = wish
  try {
    return await greeted(await openLocalGateway({ config, env: io.env, stderr: io.stderr }), io)
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause.code !== IN_USE_CODE) throw cause
    const owner = readOwner(config.dataDir)
    return (await openOwner(wish, owner)) ?? inUse(wish, owner, cause)
  }
}

/**
 * Opens it; whoever gets the client closes it. Rejects with what stands in the way and what to do: a wrong key, a gateway
 * that is silent, a data folder that another process keeps.
 */
export async function openAdmin(wish: AdminWish): Promise<AdminClient> {
  const { io, gateway, patienceMs = PATIENCE_MS } = wish
  if (gateway !== undefined) {
    if (isUnencrypted(gateway)) io.stderr(`warning: ${gateway.origin} is not encrypted; others may read what is sent\n`)
    return openRemote(gateway, wish)
  }
  const endsAtMs = systemClock() + patienceMs
  for (;;) {
    const opened = await tryOpen(wish)
    if (!(opened instanceof GatewayError)) return opened
    if (systemClock() >= endsAtMs) throw opened
    await Bun.sleep(RETRY_MS)
    if (io.signal.aborted) throw new GatewayError("cancelled", "Cancelled.")
  }
}

/** Reads the value of `--gateway`. Throws `invalid-request` for what is no address. */
export function readGatewayUrl(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new GatewayError("invalid-request", "--gateway: expected an http or https address.", {
    hint: "For example --gateway https://sluice.example.com",
  })
}
