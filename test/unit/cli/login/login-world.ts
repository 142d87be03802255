/** A world for `sluice login`: a simulator as sign-in service, folders of a gateway, a browser that does as told. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { accountsCommand } from "#cli/accounts.ts"
import type { CommandIo } from "#cli/command.ts"
import type { LoginParts } from "#cli/login/sign-in.ts"
import { makeLoginCommand } from "#cli/login.ts"
import { startSimulator } from "#simulator/simulator.ts"

import { recordIo } from "../../../support/command-io.ts"

type Listed = { readonly id: string; readonly state: string; readonly source: { readonly file: string | null } }

type Exported = {
  readonly email: string
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

/** Starts simulator and folders. */
export function makeLoginWorld() {
  const simulator = startSimulator({ accounts: 2 })
  const folder = mkdtempSync(join(tmpdir(), "sluice-login-"))
  const authDir = join(folder, "auths")
  const dataDir = join(folder, "data")
  const folders = ["--auth-dir", authDir, "--data-dir", dataDir]
  const run = async (args: readonly string[], parts: Partial<LoginParts> = {}, io: Partial<CommandIo> = {}) => {
    const recorded = recordIo({ cwd: folder, ...io })
    const command = makeLoginCommand({ open: () => false, lines: noLines, ...parts })
    const code = await command.run([...args, "--oauth-issuer", simulator.url, ...folders], recorded.io)
    return { code, out: recorded.stdout(), err: recorded.stderr() }
  }
  /** What `sluice accounts` says on the same folders. */
  const accounts = async (...args: readonly string[]) => {
    const recorded = recordIo({ cwd: folder })
    await accountsCommand.run([...args, ...folders], recorded.io)
    return recorded.stdout()
  }
  const list = async (): Promise<readonly Listed[]> => JSON.parse(await accounts("list", "--json")).accounts
  /** The accounts with their secrets. */
  const exported = async (): Promise<readonly Exported[]> => JSON.parse((await accounts("export")) || "[]")
  /** Puts a file into `auth-dir`. */
  const putFile = (name: string, value: unknown) => {
    mkdirSync(authDir, { recursive: true })
    writeFileSync(join(authDir, name), JSON.stringify(value))
  }
  const stop = async () => {
    await simulator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { simulator, authDir, dataDir, run, accounts, list, exported, putFile, stop }
}

/** A keyboard nobody sits at. */
async function* noLines(): AsyncIterable<string> {}

/** Opens the page as a browser would and returns where it is sent, without going there. */
export async function agreeOnPage(url: string): Promise<string> {
  const page = await fetch(url, { redirect: "manual" })
  return page.headers.get("location") ?? ""
}
