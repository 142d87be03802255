/** A world for `sluice login`: a simulator as sign-in service, a folder for accounts, a browser that does as told. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { CommandIo } from "#cli/command.ts"
import type { LoginParts } from "#cli/login/sign-in.ts"
import { makeLoginCommand } from "#cli/login.ts"
import { startSimulator } from "#simulator/simulator.ts"

import { recordIo } from "../../../support/command-io.ts"

/** Starts simulator and folder. */
export function makeLoginWorld() {
  const simulator = startSimulator({ accounts: 2 })
  const folder = mkdtempSync(join(tmpdir(), "sluice-login-"))
  const authDir = join(folder, "auths")
  const run = async (args: readonly string[], parts: Partial<LoginParts> = {}, io: Partial<CommandIo> = {}) => {
    const recorded = recordIo({ cwd: folder, ...io })
    const command = makeLoginCommand({ open: () => false, lines: noLines, ...parts })
    const settings = ["--oauth-issuer", simulator.url, "--auth-dir", authDir, "--data-dir", join(folder, "data")]
    const code = await command.run([...args, ...settings], recorded.io)
    return { code, out: recorded.stdout(), err: recorded.stderr() }
  }
  const files = () => readdirSync(authDir).sort()
  const read = (name: string) => JSON.parse(readFileSync(join(authDir, name), "utf8"))
  const stop = async () => {
    await simulator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { simulator, authDir, run, files, read, stop }
}

/** A keyboard nobody sits at. */
async function* noLines(): AsyncIterable<string> {}

/** Opens the page as a browser would and returns where it is sent, without going there. */
export async function agreeOnPage(url: string): Promise<string> {
  const page = await fetch(url, { redirect: "manual" })
  return page.headers.get("location") ?? ""
}
