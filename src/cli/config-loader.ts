/** The configuration of this start of the program. */

import { homedir } from "node:os"

import type { CommandLine } from "#config/flag-layer.ts"
import { type ConfigLoader, makeConfigLoader } from "#config/load.ts"
import { readHostFacts } from "#config/user-agent.ts"

import type { CommandIo } from "./command.ts"
import { VERSION } from "./version.ts"

/** Makes the loader for a command line; `file` stands in for `--config`. */
export function configLoader(
  line: Pick<CommandLine, "configPath" | "layer">,
  io: CommandIo,
  file = line.configPath,
): ConfigLoader {
  return makeConfigLoader({
    configPath: file,
    flags: line.layer,
    env: io.env,
    cwd: io.cwd,
    homeDir: homedir(),
    version: VERSION,
    host: readHostFacts(),
  })
}
