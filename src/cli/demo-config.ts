/** The configuration of a demonstration. */

import { join } from "node:path"

import type { Config } from "#config/config.ts"
import { readCommandLine } from "#config/flag-layer.ts"
import { makeConfigLoader } from "#config/load.ts"
import { formatProblem } from "#config/problem.ts"
import { readHostFacts } from "#config/user-agent.ts"
import { GatewayError } from "#core/errors.ts"

import { VERSION } from "./version.ts"

/** What a demonstration chooses. `upstream` is the simulator's origin. */
export type DemoConfigOptions = {
  readonly folder: string
  readonly port: number
  readonly key: string
  readonly upstream: string
}

/** The ordinary way to a configuration, by flags alone: no file and no variable of this machine counts. */
export async function demoConfig({ folder, port, key, upstream }: DemoConfigOptions): Promise<Config> {
  const flags = {
    "--listen": `127.0.0.1:${port}`,
    "--auth-dir": join(folder, "auths"),
    "--data-dir": join(folder, "data"),
    "--base-url": `${upstream}/backend-api/codex`,
    "--oauth-issuer": upstream,
    "--api-keys": key,
  }
  const loader = makeConfigLoader({
    configPath: undefined,
    flags: readCommandLine(Object.entries(flags).flat()).layer,
    env: {},
    cwd: folder,
    homeDir: folder,
    version: VERSION,
    host: readHostFacts(),
  })
  const result = await loader.load()
  if (result.type === "loaded") return result.loaded.config
  throw new GatewayError(
    "internal",
    `The demo's own settings were refused: ${result.problems.map(formatProblem).join("; ")}`,
  )
}
