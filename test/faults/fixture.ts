/** A compiled gateway over a scripted upstream, with what fault tests look at afterwards: requests, leases, log. */

import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { JsonObject } from "#core/json.ts"
import type { SimulatorControl } from "#simulator/control.ts"
import type { RecordedRequest } from "#simulator/recorder.ts"
import { type SimulatorOptions, startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, type StartedGateway, startGateway } from "../support/binary.ts"
import { refuseClearSecrets } from "../support/clear-text.ts"
import { type RawExchange, rawRequest } from "./raw-client.ts"

/** Every prompt of these tests contains it, so that a prompt in the log is found. */
export const PROMPT_MARK = "marigold-lantern"

/** An answer as a plain client sees it. */
export type Reply = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; a body that is not a JSON object fails the test. */
  readonly json: () => JsonObject
}

type Environment = Readonly<Record<string, string>>

/** How to start. `env` is added to an otherwise empty environment; as a function it may hold a simulated token. */
export type FaultOptions = {
  readonly accounts?: number
  readonly simulator?: SimulatorOptions
  readonly settings?: Readonly<Record<string, unknown>>
  readonly env?: Environment | ((control: SimulatorControl) => Environment)
  /** Runs after the account files are written and before the gateway starts; `upstream` is the simulator's origin. */
  readonly prepare?: (folder: string, control: SimulatorControl, upstream: string) => Promise<void>
}

/** A gateway under test. */
export type FaultGateway = {
  readonly url: string
  readonly key: string
  readonly control: SimulatorControl
  /** Holds `auths/`, `data/` and `sluice.yaml`. */
  readonly folder: string
  /** The process that runs now. */
  readonly process: () => StartedGateway
  readonly post: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Reply>
  /** A POST on a socket of its own. */
  readonly open: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => RawExchange
  /** Model turns the upstream has got. */
  readonly turns: () => readonly RecordedRequest[]
  /** Resolves when no lease is out and nobody waits; rejects after two seconds. */
  readonly idle: () => Promise<void>
  /** Raises the retry budget: every plain request allows a fifth of a retry for ten seconds. */
  readonly earnRetries: (retries: number) => Promise<void>
  /** Writes the settings file anew; the gateway notices by itself. */
  readonly configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>
  /** Starts another process on the same folders once the present one has ended, or with `--takeover` before that. */
  readonly startAgain: (...flags: readonly string[]) => Promise<void>
  /** Ends everything and throws when a secret stands in an answer, or a secret or a prompt in the log or in a folder. */
  readonly stop: () => Promise<void>
}

const KEY = "sk-sluice-fault-test-key"

/** `SLUICE_TEST_WORKERS=2` runs the same tests over relay threads. */
const TEST_WORKERS = process.env["SLUICE_TEST_WORKERS"] ?? ""
const WORKERS = TEST_WORKERS === "" ? {} : { workers: Number(TEST_WORKERS) }

/** Starts simulator and binary. */
export async function startFaultGateway(options: FaultOptions = {}): Promise<FaultGateway> {
  const simulator = startSimulator({ accounts: options.accounts ?? 2, ...options.simulator })
  const { control } = simulator
  const folder = await mkdtemp(join(tmpdir(), "sluice-fault-"))
  for (const { name } of control.accounts()) await writeAccount(folder, control, name)
  await options.prepare?.(folder, control, simulator.url)
  const url = `http://127.0.0.1:${freePort()}`
  const standard = {
    listen: url.slice("http://".length),
    "auth-dir": join(folder, "auths"),
    "data-dir": join(folder, "data"),
    "base-url": `${simulator.url}/backend-api/codex`,
    "log-format": "json",
    "log-level": "debug",
    "keepalive-interval": 0,
    "api-keys": [KEY],
    oauth: { issuer: simulator.url },
    ...WORKERS,
  }
  const configure = (settings: Readonly<Record<string, unknown>>) =>
    writeFile(join(folder, "sluice.yaml"), JSON.stringify({ ...standard, ...options.settings, ...settings }))
  await configure({})
  const env = typeof options.env === "function" ? options.env(control) : options.env
  const start = (...flags: readonly string[]) => startProcess({ folder, url, flags, env: env ?? {} })
  const processes = [await start()]
  const bodies: string[] = []
  const exchanges: RawExchange[] = []
  const current = () => {
    const last = processes.at(-1)
    if (last === undefined) throw new Error("nothing was started")
    return last
  }
  const auth = { authorization: `Bearer ${KEY}` }
  const get = async (path: string, headers = {}) =>
    read(await fetch(`${url}${path}`, { headers: { ...auth, ...headers } }), bodies)
  const post = async (path: string, body: unknown, headers = {}) =>
    read(
      await fetch(`${url}${path}`, {
        method: "POST",
        headers: { ...auth, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
      bodies,
    )
  const open = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const exchange = rawRequest(url, {
      path,
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { ...auth, ...headers },
    })
    exchanges.push(exchange)
    return exchange
  }
  return {
    url,
    key: KEY,
    control,
    folder,
    process: current,
    get,
    post,
    open,
    turns: () => control.recorded({ path: "/codex/responses" }),
    idle: () => untilIdle(get),
    earnRetries: async retries => {
      for (let sent = 0; sent < retries * 5; sent += 25) {
        await Promise.all(
          Array.from({ length: 25 }, (_, index) => post("/v1/responses", turn({ text: `earn ${sent + index}` }))),
        )
      }
    },
    configure,
    startAgain: async (...flags) => {
      processes.push(await start(...flags))
    },
    stop: async () => {
      const outputs: string[] = []
      for (const one of processes) {
        await one.stop()
        outputs.push(one.output())
      }
      await simulator.stop()
      bodies.push(...exchanges.map(exchange => exchange.text()))
      const secrets = [KEY, ...control.accounts().map(({ apiKey }) => apiKey), ...control.issuedTokens()]
      try {
        refuseClearSecrets({ secrets, outputs, bodies, folder })
        // Answers quote the prompt; nothing else may.
        refuseClearSecrets({ secrets: [PROMPT_MARK], outputs, bodies: [], folder })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/**
 * Starts simulator and binary for one test, which says `await using`: blocks outlive a test, and a start takes about a
 * quarter of a second. At the end of the test no lease may be out.
 */
export async function startOwnGateway(options: FaultOptions = {}): Promise<FaultGateway & AsyncDisposable> {
  const gateway = await startFaultGateway(options)
  return {
    ...gateway,
    [Symbol.asyncDispose]: async () => {
      try {
        await gateway.idle()
      } finally {
        await gateway.stop()
      }
    },
  }
}

/** Writes the file of one account as a login would. */
export function writeAccount(folder: string, control: SimulatorControl, name: string): Promise<number> {
  return Bun.write(join(folder, "auths", `${name}.json`), JSON.stringify(control.accountFile(name)))
}

type ProcessOptions = {
  readonly folder: string
  readonly url: string
  readonly flags: readonly string[]
  readonly env: Environment
}

function startProcess({ folder, url, flags, env }: ProcessOptions): Promise<StartedGateway> {
  return compiledBinary().then(binary =>
    startGateway({
      command: [binary, "serve", "--config", join(folder, "sluice.yaml"), ...flags],
      url,
      cwd: folder,
      env: { HOME: folder, PATH: "/usr/bin:/bin", ...env },
    }),
  )
}

/** A request in the Responses dialect. `text` may carry a `[[simulate: …]]` directive. */
export function turn(options: { readonly text?: string; readonly stream?: boolean } = {}): JsonObject {
  return {
    model: "gpt-5.5",
    input: `${PROMPT_MARK} ${options.text ?? "hello"}`,
    stream: options.stream ?? false,
  }
}

/** The same in the Chat Completions dialect. */
export function chat(options: { readonly text?: string; readonly stream?: boolean } = {}): JsonObject {
  return {
    model: "gpt-5.5",
    messages: [{ role: "user", content: `${PROMPT_MARK} ${options.text ?? "hello"}` }],
    stream: options.stream ?? false,
  }
}

async function read(response: Response, bodies: string[]): Promise<Reply> {
  const text = await response.text()
  bodies.push(text)
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
}

async function untilIdle(get: FaultGateway["get"]): Promise<void> {
  const lateMs = performance.now() + 2_000
  for (;;) {
    const { pool, accounts } = (await get("/stats")).json() as unknown as StatsBody
    const load = accounts.reduce((sum, account) => sum + account.in_flight, 0)
    if (pool.leases === 0 && pool.waiting === 0 && load === 0) return
    if (performance.now() > lateMs) throw new Error(`leases are still out: ${JSON.stringify({ pool, load })}`)
    await Bun.sleep(10)
  }
}

/** The part of `GET /stats` that tests read. */
export type StatsBody = {
  readonly pool: {
    readonly leases: number
    readonly waiting: number
    readonly available: number
    readonly total: number
  }
  readonly accounts: readonly {
    readonly in_flight: number
    readonly status: string
    readonly reason?: string
    readonly until?: string
  }[]
}

/** Polls until `check` holds; rejects with `what` after `withinMs`. */
export async function until(what: string, check: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const lateMs = performance.now() + withinMs
  while (!(await check())) {
    if (performance.now() > lateMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await Bun.sleep(5)
  }
}
