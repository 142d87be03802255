/** What the command line of `sluice login` asks for. */

import type { CommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"

/** The command's own flags. */
export const LOGIN_FLAGS = {
  "--no-browser": "switch",
  "--device": "switch",
  "--port": "value",
  "--gateway": "value",
  "--json": "switch",
} as const

/** A way to sign in. `port` is undefined when none was given. */
export type LoginWish =
  | { readonly type: "browser"; readonly port: number | undefined }
  | { readonly type: "pasted" }
  | { readonly type: "device" }

/** Reads it. `wrong` says what cannot be meant; mistakes in settings are the configuration's to report. */
export function readWish(line: CommandLine): LoginWish | { readonly type: "wrong"; readonly message: string } {
  const { own, positionals } = line
  const [problem] = line.layer.problems
  if (problem !== undefined) return { type: "wrong", message: formatProblem(problem) }
  if (positionals[0] !== undefined) return { type: "wrong", message: `unexpected argument "${positionals[0]}"` }
  const [way, other] = ["--device", "--no-browser"].filter(flag => own.has(flag))
  if (other !== undefined)
    return { type: "wrong", message: "--device and --no-browser are two different ways; name one" }
  const port = own.get("--port")
  if (port === undefined)
    return { type: way === undefined ? "browser" : way === "--device" ? "device" : "pasted", port: undefined }
  if (way !== undefined) return { type: "wrong", message: `--port has no meaning with ${way}` }
  const isPort = typeof port === "string" && /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  return isPort
    ? { type: "browser", port: Number(port) }
    : { type: "wrong", message: "--port: expected a number from 0 to 65535" }
}
