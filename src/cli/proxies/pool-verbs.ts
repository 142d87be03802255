/** `sluice proxies list`, `add`, `remove`, `enable`, `disable` and `check`: the proxies themselves. */

import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "#cli/accounts/verb.ts"
import { GatewayError } from "#core/errors.ts"

import { makeProxyClient } from "./proxy-client.ts"
import { checkLine, proxyLine, proxyTable } from "./say-proxies.ts"

const usage = ({ io }: VerbCall, message: string) => wrongUsage(io, message, "proxies")

/** `list`. */
export const listVerb: Verb = {
  help: `sluice proxies list [--json]

Every proxy with its address (the password masked), its state, its exit address and how many accounts are assigned to it;
below them the ways out that the configuration names.

${SHARED_HELP}`,
  flags: {},
  run: async call => {
    const { line, io } = call
    if (line.positionals.length > 0) return usage(call, "list takes no proxy")
    const found = await makeProxyClient(await call.open()).list()
    const { proxies, configured, passwords_exported_at: exportedAt } = found
    if (hasFlag(line, "--json")) sayJson(io, found)
    else {
      io.stdout(proxies.length === 0 ? "no proxies yet: `sluice proxies add ADDRESS` adds one\n" : proxyTable(proxies))
      for (const { url, used_by } of configured) io.stdout(`configured: ${url} (${used_by.join(", ")})\n`)
      if (exportedAt !== null) io.stdout(`last exported with passwords: ${exportedAt}\n`)
    }
    return 0
  },
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new GatewayError("invalid-request", "--max-concurrent: expected a whole number, 0 = no limit.")
}

/** `add`. */
export const addVerb: Verb = {
  help: `sluice proxies add ADDRESS [--name NAME] [--region TEXT] [--max-concurrent N] [--json]

Adds a proxy. ADDRESS is http, https, socks5 or socks5h: scheme://user:password@host:port, or host:port:user:password.
\`-\` reads it from standard input, so that the password enters no shell history. No account uses it until it is assigned.

  --name NAME         what it is called; its host and port without one
  --region TEXT       for yourself
  --max-concurrent N  requests through it at the same time; more wait (default 0: no limit)
${SHARED_HELP}`,
  flags: { "--name": "value", "--region": "value", "--max-concurrent": "value" },
  run: async call => {
    const { line, io } = call
    const [given, extra] = line.positionals
    if (given === undefined || extra !== undefined) return usage(call, "add takes one address; `import` takes lists")
    const [name, region] = [flagValue(line, "--name"), flagValue(line, "--region")]
    const maxConcurrent = limitOf(flagValue(line, "--max-concurrent"))
    const url = given === "-" ? (await io.stdin.text()).trim() : given
    const { proxies } = await makeProxyClient(await call.open()).add({
      url,
      ...(name !== undefined && { name }),
      ...(region !== undefined && { region }),
      ...(maxConcurrent !== undefined && { max_concurrent: maxConcurrent }),
    })
    if (hasFlag(line, "--json")) sayJson(io, { proxies })
    else for (const { id, name: added, url: shown } of proxies) io.stdout(`${id} ${added}: added, ${shown}\n`)
    return 0
  },
}

/** `remove`. */
export const removeVerb: Verb = {
  help: `sluice proxies remove PROXY … --yes [--json]

Deletes proxies. Accounts of the pool get another one; accounts that were assigned to it wait until they are assigned anew:
they never go out another way by themselves. Nothing without --yes.

${SHARED_HELP}`,
  flags: { "--yes": "switch" },
  run: async call => {
    const { line, io } = call
    if (line.positionals.length === 0) return usage(call, "remove needs a proxy: its id or name")
    if (!hasFlag(line, "--yes")) return usage(call, "nothing was removed: add --yes; `disable` can be taken back")
    const answer = await makeProxyClient(await call.open()).remove(line.positionals)
    if (hasFlag(line, "--json")) sayJson(io, answer)
    else {
      io.stdout(`${answer.removed.length} removed\n`)
      if (answer.waiting > 0)
        io.stderr(`${answer.waiting} accounts wait now; \`sluice proxies assign\` gives them a way\n`)
    }
    return 0
  },
}

function switchVerb(action: "enable" | "disable", what: string): Verb {
  return {
    help: `sluice proxies ${action} PROXY … [--json]\n\n${what}\n\n${SHARED_HELP}`,
    flags: {},
    run: async call => {
      const { line, io } = call
      if (line.positionals.length === 0) return usage(call, `${action} needs a proxy: its id or name`)
      const { proxies } = await makeProxyClient(await call.open()).set(action, line.positionals)
      if (hasFlag(line, "--json")) sayJson(io, { proxies })
      else for (const proxy of proxies) io.stdout(proxyLine(proxy))
      return 0
    },
  }
}

/** `enable`. */
export const enableVerb: Verb = switchVerb(
  "enable",
  "Lets accounts use proxies again, and forgets what checks have found before.",
)

/** `disable`. */
export const disableVerb: Verb = switchVerb(
  "disable",
  "Takes proxies out of use. Accounts of the pool get another one; accounts assigned to it wait until it is enabled.",
)

/** `check`. */
export const checkVerb: Verb = {
  help: `sluice proxies check [PROXY …] [--json]

Tries proxies now, all without a name: with \`proxies.echo-url\` set it is asked for the exit address, else the origin of
base-url is. No account and no credential is used. A line each as they finish; exit code 1 when one fails.

${SHARED_HELP}`,
  flags: {},
  run: async call => {
    const { line, io } = call
    const isJson = hasFlag(line, "--json")
    const names = line.positionals.length === 0 ? "all" : line.positionals
    const { proxies } = await makeProxyClient(await call.open()).check(names, step => {
      if (isJson) io.stderr(`${step.done}/${step.total} ${checkLine(step)}`)
      else io.stdout(checkLine(step))
    })
    if (isJson) sayJson(io, { proxies })
    else if (proxies.length === 0) io.stdout("there are no proxies\n")
    return proxies.every(({ failure }) => failure === null) ? 0 : 1
  },
}
