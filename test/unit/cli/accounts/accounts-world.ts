/** A world for `sluice accounts`: folders of a gateway, and the command as the program runs it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { CommandIo } from "#cli/command.ts"
import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../../support/command-io.ts"
import { makeJwt } from "../../accounts/token-endpoint.ts"

/** What was said. */
export type Said = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

/** Matches every secret these tests put in. */
export const SECRET = /eyJ|rt_|sk-/

/** An entry of an account file. */
export function entry(user: string, iat?: number) {
  const access = makeJwt({ user, workspace: "ws", email: `${user}@example.com`, ...(iat === undefined ? {} : { iat }) })
  return { access_token: access, refresh_token: `rt_${user}` }
}

/** Makes the folders; `settings` are further flags of every call. */
export function makeHome(settings: readonly string[] = []) {
  const cwd = mkdtempSync(join(tmpdir(), "sluice-accounts-"))
  const env = { SLUICE_AUTH_DIR: join(cwd, "auths"), SLUICE_DATA_DIR: join(cwd, "data") }
  const run = async (args: readonly string[], io: Partial<CommandIo> = {}): Promise<Said> => {
    const recorded = recordIo({ env, cwd, ...io })
    const exitCode = await runCommandLine(["accounts", ...args, ...settings], recorded.io)
    return { exitCode, stdout: recorded.stdout(), stderr: recorded.stderr() }
  }
  return {
    cwd,
    env,
    authDir: env.SLUICE_AUTH_DIR,
    dataDir: env.SLUICE_DATA_DIR,
    run,
    /** The parsed standard output of a call with `--json`. */
    json: async (...args: readonly string[]) => JSON.parse((await run([...args, "--json"])).stdout),
    put: (name: string, value: unknown) =>
      writeFileSync(join(cwd, name), typeof value === "string" ? value : JSON.stringify(value)),
    remove: () => rmSync(cwd, { recursive: true, force: true }),
  }
}

/** Standard input that holds a text. */
export function inputOf(text: string): Pick<CommandIo, "stdin"> {
  return { stdin: { isTerminal: false, text: async () => text, keys: () => keysOf([]) } }
}

/** A terminal where these pieces are typed, one after the other. */
export function keyboard(...pieces: readonly string[]): Pick<CommandIo, "stdin"> {
  return {
    stdin: {
      isTerminal: true,
      text: () => Promise.reject(new Error("a terminal has no end")),
      keys: () => keysOf(pieces),
    },
  }
}

async function* keysOf(pieces: readonly string[]): AsyncIterable<string> {
  yield* pieces
}
