/** Installs the published clients into a cache outside the checkout, keyed by their lock file. */

import { cp, mkdir, rename, rm, stat } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"

const MANIFESTS = join(import.meta.dir, "../conformance/clients")

/** Returns the folder whose `node_modules` holds the clients; installs them when they are missing. */
export async function conformanceClients(): Promise<string> {
  const lock = await Bun.file(join(MANIFESTS, "bun.lock")).text()
  const key = new Bun.CryptoHasher("sha256").update(lock).digest("hex").slice(0, 16)
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sluice")
  const folder = join(cache, `conformance-${key}`)
  if (!(await exists(folder))) await install(cache, folder)
  return folder
}

/** Installs beside the target and renames, so that a broken install is never taken for a whole one. */
async function install(cache: string, folder: string): Promise<void> {
  const staging = `${folder}.${process.pid}.tmp`
  await mkdir(cache, { recursive: true })
  await cp(MANIFESTS, staging, { recursive: true })
  const result = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile"], { cwd: staging })
  if (!result.success) throw new Error(`the clients could not be installed: ${result.stderr.toString()}`)
  try {
    await rename(staging, folder)
  } catch (cause) {
    // Another run was faster; its result is the same by the key.
    if (!(await exists(folder))) throw cause
    await rm(staging, { recursive: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
