/** How many relay threads carry bytes. */

import { availableParallelism } from "node:os"

/** The machine as far as it matters here. */
export type RelayHost = { readonly platform: NodeJS.Platform; readonly cores: number }

/** How many, 0 = none: the owner does it all. `warning` says why there are fewer than were asked for. */
export type RelayCount = { readonly count: number; readonly warning?: string }

/** Below this the owner and the thread of Bun's HTTP client have nothing left to share. */
const FEW_CORES = 4
const MOST_BY_ITSELF = 8

/** Reads the setting `workers` for a machine. One worker is the owner itself. */
export function relayCount(workers: number | "auto", { platform, cores }: RelayHost = thisHost()): RelayCount {
  if (platform !== "linux") {
    if (typeof workers === "string" || workers === 1) return { count: 0 }
    return { count: 0, warning: `workers: threads cannot share a port on ${platform}; one thread carries everything` }
  }
  if (workers === "auto") return { count: cores < FEW_CORES ? 0 : Math.min(cores - 1, MOST_BY_ITSELF) }
  return { count: workers === 1 ? 0 : workers }
}

function thisHost(): RelayHost {
  return { platform: process.platform, cores: availableParallelism() }
}
