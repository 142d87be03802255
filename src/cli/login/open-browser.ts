/** Opens an address in the user's browser, as far as there is one. */

import type { CommandIo } from "#cli/command.ts"

/** Returns false when there is no browser to be expected; true says only that one was asked. */
export type OpenBrowser = (url: string, env: CommandIo["env"]) => boolean

/** Asks the system's own opener. Never fails: the address is printed as well. */
export const openBrowser: OpenBrowser = (url, env) => {
  const command = openerOf(process.platform, env)
  if (command === undefined) return false
  try {
    const child = Bun.spawn([...command, url], { env: { ...env }, stdin: "ignore", stdout: "ignore", stderr: "ignore" })
    child.unref()
    return true
  } catch {
    // Not installed or not allowed: the user opens the printed address by hand.
    return false
  }
}

/** Names the opener; undefined on a Linux without a display, where one might start a browser in the terminal. */
export function openerOf(platform: NodeJS.Platform, env: CommandIo["env"]): readonly string[] | undefined {
  if (platform === "darwin") return ["open"]
  // `start` belongs to cmd.exe, which would read the `&` of the address as the end of the command.
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"]
  const hasDisplay = Boolean(env["DISPLAY"]) || Boolean(env["WAYLAND_DISPLAY"]) || Boolean(env["WSL_DISTRO_NAME"])
  return hasDisplay ? ["xdg-open"] : undefined
}
