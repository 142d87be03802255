/** Loads configurations from texts, for the tests of this folder. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { readCommandLine } from "#config/flag-layer.ts"
import { type ConfigLoader, type LoadedConfig, makeConfigLoader } from "#config/load.ts"
import { formatProblem } from "#config/problem.ts"

export type GivenLayers = {
  /** Text of `sluice.yaml` in the working directory. */
  readonly yaml?: string
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

export type TestFolder = { readonly path: string; readonly [Symbol.dispose]: () => void }

/** A folder of its own, removed at the end of the test. */
export function makeFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "sluice-config-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function makeLoader(folder: TestFolder, layers: GivenLayers = {}): ConfigLoader {
  const line = readCommandLine(layers.args ?? [])
  return makeConfigLoader({
    configPath: line.configPath,
    flags: line.layer,
    env: { HOME: join(folder.path, "home"), ...layers.env },
    cwd: folder.path,
    homeDir: "/nowhere",
    version: "1.2.3",
    host: { os: "linux", osVersion: "6.1.0", arch: "x64" },
  })
}

/** The problems of these layers, one line each; empty when the configuration loads. */
export async function problemsOf(layers: GivenLayers): Promise<readonly string[]> {
  using folder = makeFolder()
  if (layers.yaml !== undefined) writeFileSync(join(folder.path, "sluice.yaml"), layers.yaml)
  const result = await makeLoader(folder, layers).load()
  return result.type === "refused" ? result.problems.map(formatProblem) : []
}

/** The configuration of these layers; fails when there is none. */
export async function loadedFrom(layers: GivenLayers): Promise<LoadedConfig> {
  using folder = makeFolder()
  if (layers.yaml !== undefined) writeFileSync(join(folder.path, "sluice.yaml"), layers.yaml)
  const result = await makeLoader(folder, layers).load()
  if (result.type === "refused") throw new Error(result.problems.map(formatProblem).join("\n"))
  return result.loaded
}
