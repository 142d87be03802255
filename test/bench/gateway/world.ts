/** Upstream, load generator and gateways of one run, and their end whatever happens. */

import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type BenchChild, startChild } from "./child.ts"
import {
  directPeer,
  type Peer,
  type PeerParts,
  startBareProxy,
  startNginx,
  startPortkey,
  startSluice,
  startThreadedSluice,
} from "./peers.ts"

/** Everything a measurement needs. */
export type World = {
  readonly load: BenchChild
  readonly upstream: BenchChild
  readonly peers: readonly Peer[]
  readonly stop: () => Promise<void>
}

type UpstreamFacts = Pick<PeerParts, "accounts" | "simulatorUrl"> & { readonly port: number }

/** What a run may want otherwise. */
export type WorldOptions = {
  /** Sluice and nothing beside it. */
  readonly alone?: boolean
  /** One turn in so many fails upstream. Default: none. */
  readonly faultEvery?: number
  /** The file of the load generator. */
  readonly loadProcess?: string
}

/** Starts all of it; a peer that this machine cannot have is left out. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"))
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
  }
  try {
    const upstream = startChild(
      "upstream-process.ts",
      options.faultEvery === undefined ? [] : [String(options.faultEvery)],
    )
    ends.push(upstream.stop)
    // The message is the last line of upstream-process.ts.
    const { port, accounts, simulatorUrl } = (await upstream.next()) as UpstreamFacts
    const parts = { upstreamPort: port, accounts, simulatorUrl, folder }
    const peers: Peer[] = [directPeer(parts)]
    const all = [startNginx, startSluice, startThreadedSluice, startPortkey, startBareProxy]
    for (const start of options.alone === true ? [startSluice] : all) {
      const peer = await start(parts)
      if (peer === undefined) continue
      ends.push(peer.stop)
      peers.push(peer)
    }
    const load = startChild(options.loadProcess ?? "load-process.ts")
    ends.push(load.stop)
    return { load, upstream, peers, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}
