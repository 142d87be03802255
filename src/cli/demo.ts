/** `sluice demo`: the whole thing at work without an account: a simulated upstream, the gateway, one streamed answer. */

import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { makeLog } from "#telemetry/log.ts"

import { aborted } from "./aborted.ts"
import type { Command, CommandIo } from "./command.ts"
import { type DemoGateway, startDemo } from "./demo-gateway.ts"
import { connectionSnippets } from "./snippets.ts"
import { streamOneAnswer } from "./stream-one-answer.ts"

const HELP = `sluice demo [--once] [--port PORT] [--json]

Shows the gateway at work without any account: starts a simulated upstream with three accounts, a gateway in front
of it, streams one answer through both, prints how to connect your own clients, and stays up. Nothing leaves this
machine and nothing is kept. The answers come from a simulator, not from a model.

  --once        do the same on free ports, then stop and exit
  --port PORT   port of the gateway (default 8080, or a free one when it is taken)
  --json        print one JSON object with the address, key, model and answer instead of text
`

const MODEL = "gpt-5.5"
const QUESTION = "Hello! Who is answering me, and what did my request pass through?"

/** The `demo` verb. */
export const demoCommand: Command = {
  name: "demo",
  summary: "show it at work without any account: simulator, gateway, one streamed answer",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, { "--once": "switch", "--port": "value", "--json": "switch" })
    const problem = wrongUsage(line)
    if (problem !== undefined) {
      io.stderr(`sluice demo: ${problem}\n  \`sluice demo --help\` shows how it is used.\n`)
      return 2
    }
    const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"))
    try {
      return await demonstrate(line, folder, io)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function demonstrate(line: CommandLine, folder: string, io: CommandIo): Promise<number> {
  const once = line.own.has("--once")
  const demo = await startDemo({
    folder,
    port: once ? 0 : Number(line.own.get("--port") ?? 8080),
    log: await makeLog({ level: once ? "error" : "info", format: "auto" }),
  })
  try {
    if (line.own.has("--json")) await showJson(demo, io)
    else await showText(demo, io)
    if (!once) await aborted(io.signal)
    return 0
  } finally {
    await demo.stop()
  }
}

async function showText(demo: DemoGateway, io: CommandIo): Promise<void> {
  io.stdout(
    `Sluice demo. A simulated upstream with ${demo.accounts} accounts stands behind the gateway; no model is asked.\n\n`,
  )
  io.stdout(`you      ${QUESTION}\ngateway  `)
  await ask(demo, io, piece => io.stdout(piece))
  io.stdout(`\n\nGateway  ${demo.origin}\nKey      ${demo.key}\nModel    ${MODEL}\n\nConnect a client:\n`)
  for (const { title, text } of connectionSnippets({ ...demo, model: MODEL })) io.stdout(`\n# ${title}\n${text}\n`)
  io.stdout("\nWith your own accounts: sluice login, then sluice serve\n")
}

async function showJson(demo: DemoGateway, io: CommandIo): Promise<void> {
  let answer = ""
  await ask(demo, io, piece => {
    answer += piece
  })
  const { origin, key, accounts } = demo
  io.stdout(`${JSON.stringify({ origin, key, model: MODEL, accounts, simulated: true, answer })}\n`)
}

function ask(demo: DemoGateway, io: CommandIo, write: (piece: string) => void): Promise<void> {
  return streamOneAnswer({ origin: demo.origin, key: demo.key, model: MODEL, text: QUESTION, signal: io.signal }, write)
}

function wrongUsage(line: CommandLine): string | undefined {
  const [problem] = line.layer.problems
  if (problem !== undefined) return formatProblem(problem)
  const [setting] = line.layer.settings
  if (setting !== undefined) return `settings of the gateway have no effect here (${setting.path})`
  if (line.positionals[0] !== undefined) return `unexpected argument "${line.positionals[0]}"`
  const port = line.own.get("--port")
  const valid = port === undefined || (typeof port === "string" && /^\d{1,5}$/.test(port) && Number(port) < 65_536)
  return valid ? undefined : "--port: expected a number from 0 to 65535"
}
