/** The gateways that are measured, each started on the measured processor over the same upstream. */

import { mkdirSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"

import { compiledBinary, freePort, launchGateway } from "../../support/binary.ts"
import { pinned } from "./processor.ts"

/** A gateway that is up. */
export type Peer = {
  readonly name: string
  readonly version: string
  /** 0 for no gateway at all. */
  readonly pid: number
  readonly port: number
  readonly upstreamPort: number
  readonly stop: () => Promise<void>
}

/** What peers are started over. */
export type PeerParts = {
  readonly upstreamPort: number
  readonly accounts: readonly unknown[]
  readonly simulatorUrl: string
  /** A folder of this run's own. */
  readonly folder: string
}

/** The key Sluice's clients send. */
export const CLIENT_KEY = "sk-sluice-bench"

const PORTKEY_VERSION = "1.15.2"
const CONNECTIONS = 16_384

function cacheFolder(name: string): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const folder = join(cache, "sluice", "bench", name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Starts a program and waits until it takes connections. */
async function startProgram(
  command: readonly string[],
  port: number,
  cwd: string,
): Promise<Pick<Peer, "pid" | "stop">> {
  const child = Bun.spawn([...pinned("measured"), ...command], {
    cwd,
    env: { HOME: cwd, PATH: "/usr/local/bin:/usr/bin:/bin", BUN_CONFIG_MAX_HTTP_REQUESTS: "60000" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (child.exitCode !== null || tries > 200) {
      child.kill()
      throw new Error(`${command[0]} does not start: ${await new Response(child.stderr).text()}`)
    }
    await Bun.sleep(50)
  }
  return {
    pid: child.pid,
    stop: async () => {
      child.kill()
      await child.exited
    },
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } })
    socket.end()
    return true
  } catch {
    // Not yet: the caller counts the tries.
    return false
  }
}

/** No gateway: what the upstream and the load generator cost and take by themselves. */
export function directPeer({ upstreamPort }: PeerParts): Peer {
  return { name: "direct", version: "", pid: 0, port: upstreamPort, upstreamPort, stop: () => Promise.resolve() }
}

/** Sluice, compiled. */
export function startSluice(parts: PeerParts): Promise<Peer> {
  return startSluiceWith(parts, "Sluice", 1)
}

/** Sluice whose streams two relay threads carry. */
export function startThreadedSluice(parts: PeerParts): Promise<Peer> {
  return startSluiceWith(parts, "Sluice on 2 threads", 2)
}

async function startSluiceWith(parts: PeerParts, name: string, workers: number): Promise<Peer> {
  const port = freePort()
  const folder = join(parts.folder, `sluice-${workers}`)
  for (const [index, account] of parts.accounts.entries()) {
    await Bun.write(join(folder, "auths", `account-${index}.json`), JSON.stringify(account))
  }
  const config = join(folder, "sluice.yaml")
  const settings = {
    listen: `127.0.0.1:${port}`,
    "auth-dir": join(folder, "auths"),
    "data-dir": join(folder, "data"),
    "base-url": `http://127.0.0.1:${parts.upstreamPort}/backend-api/codex`,
    "log-format": "json",
    "account-concurrency": 1000,
    workers,
    "api-keys": [CLIENT_KEY],
    oauth: { issuer: parts.simulatorUrl },
  }
  await writeFile(config, JSON.stringify(settings))
  const binary = await compiledBinary()
  const launched = launchGateway({
    command: [...pinned("measured"), binary, "serve", "--config", config],
    url: `http://127.0.0.1:${port}`,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
  })
  await launched.ready
  const version = Bun.spawnSync([binary, "--version"]).stdout.toString().trim()
  const { upstreamPort } = parts
  return {
    name,
    version,
    pid: launched.pid,
    port,
    upstreamPort,
    stop: async () => void (await launched.stop()),
  }
}

/** nginx in one process; undefined, with a word on standard error, where Debian's package cannot be had. */
export async function startNginx({ upstreamPort, folder }: PeerParts): Promise<Peer | undefined> {
  const nginx = Bun.which("nginx") ?? (await fetchNginx())
  if (nginx === undefined) return undefined
  const port = freePort()
  const home = join(folder, "nginx")
  mkdirSync(join(home, "temp"), { recursive: true })
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map(kind => `${kind}_temp_path ${join(home, "temp", kind)};`)
    .join(" ")
  const config = `daemon off; master_process off; pid ${join(home, "pid")}; error_log ${join(home, "error.log")} error;
events { worker_connections ${2 * CONNECTIONS}; }
http {
  access_log off; tcp_nodelay on; ${temp}
  client_max_body_size 64m; client_body_buffer_size 8m; keepalive_requests 1000000000; keepalive_timeout 1h;
  upstream simulator { server 127.0.0.1:${upstreamPort}; keepalive ${CONNECTIONS}; keepalive_requests 1000000000; keepalive_timeout 1h; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://simulator; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`
  const file = join(home, "nginx.conf")
  await writeFile(file, config)
  const said = Bun.spawnSync([nginx, "-v"]).stderr.toString()
  const version = /nginx\/(\S+)/.exec(said)?.[1] ?? ""
  const command = [nginx, "-p", home, "-e", join(home, "error.log"), "-c", file]
  return { name: "nginx", version, port, upstreamPort, ...(await startProgram(command, port, home)) }
}

/** Debian's package, unpacked into the cache: no root, and nothing of the machine changes. */
async function fetchNginx(): Promise<string | undefined> {
  const folder = cacheFolder("nginx")
  const binary = join(folder, "unpacked", "usr", "sbin", "nginx")
  if (await Bun.file(binary).exists()) return binary
  const script = "apt-get download nginx && dpkg-deb -x nginx_*.deb unpacked"
  const child = Bun.spawn(["sh", "-c", script], { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code === 0 && (await Bun.file(binary).exists())) return binary
  console.error(`bench: without nginx, which is not installed and cannot be fetched:\n${said}`)
  return undefined
}

/** Portkey's gateway from npm; undefined, with a word on standard error, where it cannot be had. */
export async function startPortkey({ upstreamPort, folder }: PeerParts): Promise<Peer | undefined> {
  const cache = cacheFolder(`portkey-${PORTKEY_VERSION}`)
  const program = join(cache, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
  if (!(await Bun.file(program).exists())) {
    await writeFile(join(cache, "package.json"), '{"private":true}\n')
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    const install = ["npm", "install", ...flags, `@portkey-ai/gateway@${PORTKEY_VERSION}`]
    const code = await Bun.spawn(install, { cwd: cache, stdin: "ignore", stdout: "ignore", stderr: "inherit" }).exited
    if (code !== 0) {
      console.error("bench: without Portkey's gateway, which npm could not install")
      return undefined
    }
  }
  const port = freePort()
  const home = join(folder, "portkey")
  mkdirSync(home, { recursive: true })
  // On Node 20 this version fails every answer (it changes headers that fetch made immutable), so it gets our runtime.
  const command = [process.execPath, program, `--port=${port}`, "--headless"]
  return { name: "Portkey", version: PORTKEY_VERSION, port, upstreamPort, ...(await startProgram(command, port, home)) }
}

/** A proxy of a few lines on the same runtime: what the runtime itself costs. */
export async function startBareProxy({ upstreamPort, folder }: PeerParts): Promise<Peer> {
  const port = freePort()
  const program = join(import.meta.dir, "bare-proxy-process.ts")
  const command = [process.execPath, program, String(port), String(upstreamPort)]
  return {
    name: "bare Bun proxy",
    version: Bun.version,
    port,
    upstreamPort,
    ...(await startProgram(command, port, folder)),
  }
}
