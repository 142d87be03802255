/** Puts the four layers together: built-in defaults, file, environment, flags. */

import { readFile, stat } from "node:fs/promises"
import { join, resolve } from "node:path"

import { Value } from "@sinclair/typebox/value"

import { type Config, type ConfigPlace, makeConfig } from "./config.ts"
import { readDefaults } from "./defaults.ts"
import {
  type Environment,
  readAdminKeyLayer,
  readBridgeLayer,
  readEnvLayer,
  readPortLayer,
  readProxyLayer,
} from "./env-layer.ts"
import { readFileLayer } from "./file-layer.ts"
import type { ConfigLayer, ConfigProblem, ConfigSource, Setting } from "./problem.ts"
import { checkRules, remarks } from "./rules.ts"
import { CONFIG_SCHEMA, type ConfigValues } from "./schema.ts"
import type { HostFacts } from "./user-agent.ts"

/** What a configuration is read from. */
export type ConfigInputs = {
  /** Value of `--config`: this file and no other, and it must exist. */
  readonly configPath: string | undefined
  /** Settings from flags; see `readCommandLine`. */
  readonly flags: ConfigLayer
  readonly env: Environment
  readonly cwd: string
  /** Home of the user when `HOME` is not set. */
  readonly homeDir: string
  /** Sluice's own version. */
  readonly version: string
  readonly host: HostFacts
}

/** A configuration in force, with the way it came about. */
export type LoadedConfig = {
  readonly config: Config
  /** Every setting by path, in its usual spelling, with the layer that won. */
  readonly settings: ReadonlyMap<string, Setting>
  readonly warnings: readonly string[]
  /** Absolute path of the file that was read. */
  readonly file: string | undefined
}

/** A configuration, or every reason why there is none. */
export type LoadResult =
  | { readonly type: "loaded"; readonly loaded: LoadedConfig }
  | { readonly type: "refused"; readonly problems: readonly ConfigProblem[] }

/** Reads configurations from one set of inputs. */
export type ConfigLoader = {
  /** Reads everything again. Never rejects for a bad or unreadable file: that is a `refused` result. */
  readonly load: () => Promise<LoadResult>
  /** Builds a configuration out of settings that were checked before; the rules between settings are checked again. */
  readonly build: (from: Omit<LoadedConfig, "config">) => LoadResult
  /** Absolute paths that decide the result: the file named by `--config`, or the places one is looked for. */
  readonly paths: readonly string[]
}

/** Makes the loader for one start of the program. */
export function makeConfigLoader(inputs: ConfigInputs): ConfigLoader {
  const place = placeOf(inputs)
  const paths = candidatePaths(inputs, place)
  const build: ConfigLoader["build"] = from => buildConfig(from, place)
  return {
    paths,
    build,
    load: async () => {
      const file = await findFile(paths)
      const fileLayer = await readLayerOf(inputs, file)
      const merged = mergeLayers(inputs, fileLayer)
      if (merged.problems.length === 0) return build({ ...merged, file })
      // The rules between settings are worth telling too, as far as the sound settings let them be judged.
      const built = build({ ...merged, file })
      const more = built.type === "refused" ? built.problems : []
      return { type: "refused", problems: [...merged.problems, ...more] }
    },
  }
}

type Merged = Pick<ConfigLayer, "problems" | "warnings"> & Pick<LoadedConfig, "settings">

function mergeLayers(inputs: ConfigInputs, fileLayer: ConfigLayer): Merged {
  const settings = new Map<string, Setting>()
  const problems: ConfigProblem[] = []
  const warnings: string[] = []
  const add = (layer: ConfigLayer) => {
    for (const setting of layer.settings) settings.set(setting.path, setting)
    problems.push(...layer.problems)
    warnings.push(...layer.warnings)
  }
  add({ settings: readDefaults(), problems: [], warnings: [] })
  add(fileLayer)
  add(readAdminKeyLayer(inputs.env))
  add(readBridgeLayer(inputs.env))
  add(readEnvLayer(inputs.env))
  add(readPortLayer(inputs.env, settings.get("listen")?.value))
  add(inputs.flags)
  if (settings.get("proxy-url")?.source.type === "default") add(readProxyLayer(inputs.env))
  return { settings, problems, warnings }
}

function buildConfig(from: Omit<LoadedConfig, "config">, place: ConfigPlace): LoadResult {
  const values = nest(from.settings)
  const config = makeConfig(values, place)
  const sourceOf = (path: string): ConfigSource => from.settings.get(path)?.source ?? { type: "default" }
  const input = { values, config, place, sourceOf }
  const problems = checkRules(input)
  if (problems.length > 0) return { type: "refused", problems }
  const warnings = [...new Set([...from.warnings, ...remarks(input)])]
  return { type: "loaded", loaded: { ...from, config, warnings } }
}

/** Turns `queue.max` into `{ queue: { max } }`. */
function nest(settings: ReadonlyMap<string, Setting>): ConfigValues {
  const values: Record<string, unknown> = {}
  for (const { path, value } of settings.values()) {
    const [name = "", inner] = path.split(".")
    if (inner === undefined) values[name] = value
    else values[name] = Object.assign(values[name] ?? {}, { [inner]: value })
  }
  if (!Value.Check(CONFIG_SCHEMA, values)) throw new Error("checked settings do not make a configuration")
  return values
}

function placeOf(inputs: ConfigInputs): ConfigPlace {
  return {
    cwd: inputs.cwd,
    homeDir: homeOf(inputs),
    xdgDataHome: nonEmpty(inputs.env["XDG_DATA_HOME"]),
    xdgConfigHome: nonEmpty(inputs.env["XDG_CONFIG_HOME"]),
    codexHome: nonEmpty(inputs.env["CODEX_HOME"]),
    version: inputs.version,
    host: inputs.host,
  }
}

function candidatePaths(inputs: ConfigInputs, place: ConfigPlace): readonly string[] {
  if (inputs.configPath !== undefined) return [resolve(inputs.cwd, inputs.configPath)]
  const configHome = place.xdgConfigHome ?? join(place.homeDir, ".config")
  return [join(inputs.cwd, "sluice.yaml"), join(configHome, "sluice", "config.yaml")]
}

async function findFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path
  return undefined
}

async function readLayerOf(inputs: ConfigInputs, file: string | undefined): Promise<ConfigLayer> {
  if (file === undefined) {
    if (inputs.configPath === undefined) return { settings: [], problems: [], warnings: [] }
    return fileProblem(inputs.configPath, "the file does not exist")
  }
  const shown = inputs.configPath ?? (file.startsWith(`${inputs.cwd}/`) ? file.slice(inputs.cwd.length + 1) : file)
  try {
    return readFileLayer(await readFile(file, "utf8"), shown)
  } catch (error) {
    // Told to the operator as a reason not to start, so nothing is lost.
    return fileProblem(shown, `cannot be read (${codeOf(error)})`)
  }
}

function fileProblem(file: string, message: string): ConfigLayer {
  return { settings: [], problems: [{ source: { type: "file", file, line: 0 }, message }], warnings: [] }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    // Anything but "not there" (no permission, say) must be told: reading the file will do so.
    return !["ENOENT", "ENOTDIR"].includes(codeOf(error))
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code)
  return error instanceof Error ? error.name : "unknown"
}

function homeOf(inputs: ConfigInputs): string {
  return nonEmpty(inputs.env["HOME"]) ?? inputs.homeDir
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text
}
