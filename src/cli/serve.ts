/** `sluice serve`: the gateway itself, until it is told to stop. */

import type { Config } from "#config/config.ts"
import { readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { type ConfigStore, makeConfigStore, type ReloadReport } from "#config/store.ts"
import { watchFiles } from "#config/watch.ts"
import { systemTimers } from "#core/clock.ts"
import { type Log, makeLog } from "#telemetry/log.ts"

import { aborted } from "./aborted.ts"
import type { Command, CommandIo } from "./command.ts"
import { runGateway } from "./compose/run-gateway.ts"
import { configLoader } from "./config-loader.ts"
import { CAN_BE_REPLACED, makeHangup, refuseTakeover } from "./takeover/hangup.ts"
import { tellServiceManager } from "./takeover/tell-service-manager.ts"
import { VERSION } from "./version.ts"

const HELP = `sluice serve [--config FILE] [--<key> VALUE …]

Serves your accounts, those of the database and those whose files lie in \`auth-dir\`, as one OpenAI-compatible endpoint,
until SIGINT or SIGTERM.
Running answers may then finish for \`shutdown-timeout\` seconds; a second signal ends at once.

  --takeover        replace the gateway that runs on the same data folder, without refusing or cutting a request
                    (Linux; SIGHUP makes a running one do this with the binary that now lies at its path)
  --config FILE     this file instead of ./sluice.yaml or $XDG_CONFIG_HOME/sluice/config.yaml
  --listen ADDRESS  where to serve (default 127.0.0.1:8080)
  --auth-dir DIR    folder with account files, if you have any (default ./auths); watched while running
  --creds-store M   one more account from elsewhere: auto, xdg, legacy, keychain or env (default off)
  --api-keys KEY    key that clients must send; needed for any address other machines can reach
  --<key> VALUE     any other setting; \`sluice config print --explain\` lists them all

A first start:   sluice login, then sluice serve
Without account: sluice demo
`

/** The \`serve\` verb. */
export const serveCommand: Command = {
  name: "serve",
  summary: "serve your accounts until told to stop",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, { "--takeover": "switch" })
    // A misspelled flag leaves its value behind: the loader below names the flag, which is what is wrong.
    if (line.positionals.length > 0 && line.layer.problems.length === 0) return wrongUsage(io, line.positionals)
    const takesOver = line.own.has("--takeover")
    if (takesOver && !CAN_BE_REPLACED) return refuseTakeover(io)
    const loader = configLoader(line, io)
    const result = await loader.load()
    if (result.type === "refused") {
      for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
      return 1
    }
    const { config, warnings } = result.loaded
    const log = await makeLog({ level: config.logLevel, format: config.logFormat })
    for (const warning of warnings) log.warn({}, warning)
    if (io.startWarning !== undefined) log.warn({}, io.startWarning)
    const store = makeConfigStore({
      initial: result.loaded,
      loader,
      timers: systemTimers,
      reportFailure: cause => noteFailure(cause, log),
      watch: onChange => watchFiles({ paths: loader.paths, timers: systemTimers }, onChange),
    })
    return serveUntilStopped(store, log, { io, takesOver })
  },
}

type ServeOptions = { readonly io: CommandIo; readonly takesOver: boolean }

async function serveUntilStopped(store: ConfigStore, log: Log, { io, takesOver }: ServeOptions): Promise<number> {
  store.subscribe(report => noteReload(report, log))
  const hangup = makeHangup(log, () => {
    store.reload().catch(cause => noteFailure(cause, log))
  })
  process.on("SIGHUP", hangup)
  try {
    const running = await runGateway({
      config: store.current,
      onReload: listener => store.subscribe(report => report.type === "reloaded" && listener()),
      log,
      env: io.env,
      version: VERSION,
      ...(CAN_BE_REPLACED && { succession: { takesOver, dismissed: () => dismiss(io) } }),
    })
    log.info(startFacts(store.current(), running.accounts().length), `listening on ${running.url.origin}`)
    const end = await Promise.race([aborted(io.signal), running.left])
    if (end?.type === "replaced") tellServiceManager(`MAINPID=${end.pid}`, io.env["NOTIFY_SOCKET"])
    log.info({}, "stopping: no new requests, running answers may finish")
    await running.stop()
    log.info({}, "stopped")
    return end?.type === "lost" ? 1 : 0
  } finally {
    process.off("SIGHUP", hangup)
    store.close()
  }
}

/** Serves nobody yet, and has to let the data folder go now. */
function dismiss(io: CommandIo): never {
  io.stderr("sluice serve: the running gateway goes on, because this one took too long\n")
  process.exit(1)
}

function startFacts(config: Config, accounts: number) {
  return { accounts, authDir: config.authDir, upstream: config.baseUrl, keys: config.apiKeys.length }
}

function noteFailure(cause: unknown, log: Log): void {
  log.error({ reason: String(cause) }, "reading the configuration again failed")
}

function noteReload(report: ReloadReport, log: Log): void {
  if (report.type === "refused") {
    const problems = report.problems.map(formatProblem)
    log.error({ problems }, "the edited configuration is not valid; the one in force stays")
  } else if (report.type === "reloaded") {
    log.setLevel(report.config.logLevel)
    log.info({ changed: report.changed, needsRestart: report.needsRestart }, "configuration read again")
    for (const warning of report.warnings) log.warn({}, warning)
  }
}

function wrongUsage(io: CommandIo, extra: readonly string[]): number {
  io.stderr(`sluice serve: unexpected argument "${extra[0]}"\n  \`sluice serve --help\` shows how it is used.\n`)
  return 2
}
