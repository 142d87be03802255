/** The running process as the request ceiling needs to see it. */

import { readFileSync } from "node:fs"

import type { CeilingParts } from "./request-ceiling.ts"

/** Reads the parts from the process itself. */
export function thisProcess(): CeilingParts {
  const execve = process.execve
  return {
    env: process.env,
    execPath: process.execPath,
    execArgv: process.execArgv,
    argv: process.argv,
    main: Bun.main,
    execve: execve === undefined ? undefined : (file, args, env) => execve.call(process, file, args, env),
    openFileLimit: openFileLimit(),
  }
}

/** Linux tells its soft limit in /proc; other systems do not, and undefined means "assume enough". */
function openFileLimit(): number | undefined {
  if (process.platform !== "linux") return undefined
  const line = /^Max open files\s+(\d+)/m.exec(limitsText())
  return line?.[1] === undefined ? undefined : Number(line[1])
}

function limitsText(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8")
  } catch {
    // Containers may hide /proc; the limit is then unknown, which the caller allows for.
    return ""
  }
}
