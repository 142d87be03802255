/** What a hang-up signal does: the binary that lies at this process's path by now takes over. */

import type { CommandIo } from "#cli/command.ts"
import type { Log } from "#telemetry/log.ts"
import { restartArgs } from "#transport/request-ceiling.ts"

import { tellServiceManager } from "./tell-service-manager.ts"

/** Only Linux lets two processes share a port in a way that only one user's processes may. */
export const CAN_BE_REPLACED = process.platform === "linux"

/** Says what to do instead. Returns the exit code. */
export function refuseTakeover(io: CommandIo): number {
  io.stderr(
    "sluice serve: --takeover works on Linux only\n" +
      "  Stop the running gateway (its answers may finish for `shutdown-timeout`) and start this one without it.\n",
  )
  return 1
}

/** Serves nobody yet, and has to let the data folder go now. */
export function dismiss(io: CommandIo): never {
  io.stderr("sluice serve: the running gateway goes on, because this one took too long\n")
  process.exit(1)
}

/** The service manager follows the new process from now on; nothing happens where there is none. */
export function sayReplaced(pid: number, env: CommandIo["env"]): void {
  tellServiceManager(`MAINPID=${pid}`, env["NOTIFY_SOCKET"])
}

/** Makes the handler; `reload` only reads the configuration again. */
export function makeHangup(log: Pick<Log, "info" | "warn" | "error">, reload: () => void): () => void {
  // Read now: once its file is replaced the system may show another path.
  const command = restartArgs({ ...processParts(), execPath: process.execPath })
  return () => {
    const reason = whyNot()
    if (reason !== undefined) {
      log.info({ reason }, "hang-up: the configuration is read again; nothing is replaced")
      reload()
      return
    }
    log.info({}, "hang-up: a new process is started and takes over")
    try {
      const flag = command.includes("--takeover") ? [] : ["--takeover"]
      const child = Bun.spawn([...command, ...flag], {
        stdio: ["inherit", "inherit", "inherit"],
        env: process.env,
        onExit: (_, code) => {
          if (code !== 0) log.error({ code }, "the new process has ended; this one goes on")
        },
      })
      // This process ends when it has been replaced, whether or not the other one runs.
      child.unref()
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause)
      log.error({ reason: detail }, "the new process could not be started; this one goes on")
    }
  }
}

function processParts() {
  return { execArgv: process.execArgv, argv: process.argv, main: Bun.main }
}

/** Undefined: this process can be replaced by one that it starts. */
function whyNot(): string | undefined {
  if (!CAN_BE_REPLACED) return "only Linux can replace a running gateway"
  if (process.pid === 1) return "process 1 of a container cannot be replaced"
  const isService = process.env["INVOCATION_ID"] !== undefined && process.env["NOTIFY_SOCKET"] === undefined
  return isService ? "systemd would end the new process: the unit needs NotifyAccess=main" : undefined
}
