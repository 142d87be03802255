/** `sluice serve`: the gateway itself, until it is told to stop. */

import type { Config } from "#config/config.ts"
import { readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import type { ConfigStore } from "#config/store.ts"
import { type Log, makeLog } from "#telemetry/log.ts"

import { aborted } from "./aborted.ts"
import type { Command, CommandIo } from "./command.ts"
import { runGateway } from "./compose/run-gateway.ts"
import { configLoader } from "./config-loader.ts"
import { followConfig, reload } from "./follow-config.ts"
import { CAN_BE_REPLACED, dismiss, makeHangup, refuseTakeover, sayReplaced } from "./takeover/hangup.ts"
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
    const store = followConfig(result.loaded, loader, log)
    return serveUntilStopped(store, log, { io, takesOver })
  },
}

type ServeOptions = { readonly io: CommandIo; readonly takesOver: boolean }

async function serveUntilStopped(store: ConfigStore, log: Log, { io, takesOver }: ServeOptions): Promise<number> {
  const hangup = makeHangup(log, () => reload(store, log))
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
    if (end?.type === "replaced") sayReplaced(end.pid, io.env)
    log.info({}, "stopping: no new requests, running answers may finish")
    await running.stop()
    log.info({}, "stopped")
    return end?.type === "lost" ? 1 : 0
  } finally {
    process.off("SIGHUP", hangup)
    store.close()
  }
}

function startFacts(config: Config, accounts: number) {
  return { accounts, authDir: config.authDir, upstream: config.baseUrl, keys: config.apiKeys.length }
}

function wrongUsage(io: CommandIo, extra: readonly string[]): number {
  io.stderr(`sluice serve: unexpected argument "${extra[0]}"\n  \`sluice serve --help\` shows how it is used.\n`)
  return 2
}
