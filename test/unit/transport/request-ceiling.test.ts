import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type CeilingParts, raiseRequestCeiling, restartArgs } from "#transport/request-ceiling.ts"

const ROOT = join(import.meta.dir, "../../..")

const BASE: CeilingParts = {
  env: { PATH: "/bin" },
  execPath: "/usr/bin/bun",
  execArgv: ["--smol"],
  argv: ["/usr/bin/bun", "/app/src/main.ts", "serve", "--port", "1"],
  main: "/app/src/main.ts",
  execve: undefined,
  openFileLimit: undefined,
}

class Replaced extends Error {}

function restart(parts: Partial<CeilingParts>) {
  let call: { args: readonly string[]; env: Record<string, string> } | undefined
  const execve = (_: string, args: readonly string[], env: Record<string, string>) => {
    call = { args, env }
    throw new Replaced("replaced")
  }
  const ceiling = raiseRequestCeiling({ ...BASE, execve, ...parts })
  return { call, ceiling }
}

describe("request ceiling", () => {
  test("starts the script over with its flags and arguments and the raised limit", () => {
    const { call } = restart({})
    expect(call?.args).toEqual(["/usr/bin/bun", "--smol", "/app/src/main.ts", "serve", "--port", "1"])
    expect(call?.env).toMatchObject({ PATH: "/bin", BUN_CONFIG_MAX_HTTP_REQUESTS: "16384" })
  })

  test("a compiled binary is its own program", () => {
    const args = restartArgs({
      ...BASE,
      execPath: "/opt/sluice",
      execArgv: [],
      argv: ["bun", "/$bunfs/root/sluice", "serve"],
      main: "/$bunfs/root/sluice",
    })
    expect(args).toEqual(["/opt/sluice", "serve"])
  })

  test("the second start does not start a third", () => {
    const { call } = restart({})
    const again = restart({ env: call?.env ?? {} })
    expect(again.call).toBeUndefined()
    expect(again.ceiling).toEqual({ requests: 16_384 })
    const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...withoutLimit } = call?.env ?? {}
    const lost = restart({ env: withoutLimit })
    expect(lost.call).toBeUndefined()
    expect(lost.ceiling.warning).toContain("256")
  })

  test("an operator's own limit is respected", () => {
    const { call, ceiling } = restart({ env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "512" } })
    expect(call).toBeUndefined()
    expect(ceiling).toEqual({ requests: 512 })
  })

  test("the limit leaves two sockets a request within the open files", () => {
    expect(restart({ openFileLimit: 4_096 }).call?.env["BUN_CONFIG_MAX_HTTP_REQUESTS"]).toBe("1920")
    const low = restart({ openFileLimit: 512 })
    expect(low.call).toBeUndefined()
    expect(low.ceiling.warning).toContain("ulimit")
  })

  test("where a process cannot be replaced, it goes on and says so", () => {
    expect(raiseRequestCeiling(BASE)).toMatchObject({ requests: 256 })
    expect(restart({}).ceiling.warning).toContain("replaced")
  })
})

/** Prints what the restarted process sees: more simultaneous requests than 256 arrive at a server. */
const PROGRAM = `
import { raiseRequestCeiling } from "#transport/request-ceiling.ts"
import { thisProcess } from "#transport/this-process.ts"
const { requests, warning } = raiseRequestCeiling(thisProcess())
let inFlight = 0
const waiting = []
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch: () => {
  inFlight += 1
  return new Promise(resolve => {
    waiting.push(resolve)
    if (inFlight === 300) for (const each of waiting) each(new Response("ok"))
  })
} })
const late = setTimeout(() => { console.log(JSON.stringify({ inFlight })); process.exit(1) }, 10_000)
await Promise.all(Array.from({ length: 300 }, () => fetch(server.url, { proxy: false }).then(reply => reply.text())))
clearTimeout(late)
console.log(JSON.stringify({ inFlight, raised: requests > 256, warning, args: process.argv.slice(2), pid: process.pid }))
process.exit()
`

describe.if(process.platform === "linux")("the running process", () => {
  const run = (command: string[]) => {
    const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, SLUICE_RESTARTED: __, ...env } = process.env
    const child = Bun.spawnSync(command, { cwd: ROOT, env })
    const seen: unknown = JSON.parse(child.stdout.toString())
    return { seen, pid: child.pid }
  }

  test("300 requests run at a time, as a script and as a compiled binary, in the same process id", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ceiling-"))
    try {
      // The import map of the project applies to files inside it, so the program is given as text on both ways.
      const script = join(folder, "program.ts")
      await Bun.write(script, PROGRAM.replaceAll('"#transport/', `"${ROOT}/src/transport/`))
      const asScript = run([process.execPath, script, "serve", "--port=1"])
      expect(asScript.seen).toEqual({ inFlight: 300, raised: true, args: ["serve", "--port=1"], pid: asScript.pid })

      const binary = join(folder, "program")
      const built = Bun.spawnSync([process.execPath, "build", "--compile", script, "--outfile", binary], { cwd: ROOT })
      expect(built.exitCode).toBe(0)
      const asBinary = run([binary, "serve", "--port=1"])
      expect(asBinary.seen).toEqual({ inFlight: 300, raised: true, args: ["serve", "--port=1"], pid: asBinary.pid })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 60_000)
})
