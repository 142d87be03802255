/** `sluice accounts refresh` and `test`: what asks the upstream and takes its time, account by account. */

import type { AdminClient, Names } from "#cli/admin/admin-client.ts"
import { systemClock } from "#core/clock.ts"
import type { TestReport } from "#gateway/desk/orders.ts"
import type { RefreshReport } from "#gateway/pool/operators.ts"

import { quotaText } from "./account-text.ts"
import { namesOf } from "./change-commands.ts"
import { hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const REFRESH_HELP = `sluice accounts refresh ACCOUNT … | --all [--json]

Exchanges the refresh token for a new access token now, ahead of time. A line an account as they finish; exit code 1 when one fails.

  --all             every account that is enabled
${SHARED_HELP}`

const TEST_HELP = `sluice accounts test ACCOUNT … | --all [--json]

Asks the upstream for the account's quota, which costs none of it: whoever gets an answer can serve. A credential that is
refused is refreshed once. A line an account as they finish; exit code 1 when one fails.

  --all             every account that is enabled
${SHARED_HELP}`

type Step<Report> = Report & { readonly done: number; readonly total: number }

/** How one of the two is carried out and told. */
type Work<Report> = {
  readonly verb: string
  readonly run: (admin: AdminClient, names: Names, onStep: (step: Step<Report>) => void) => Promise<readonly Report[]>
  readonly lineOf: (report: Report) => string
}

async function carryOut<Report extends { readonly status: string }>(
  call: VerbCall,
  work: Work<Report>,
): Promise<number> {
  const { line, io } = call
  const names = namesOf(work.verb, line)
  if (typeof names === "object" && "complaint" in names) return wrongUsage(io, names.complaint)
  const isJson = hasFlag(line, "--json")
  const admin = await call.open()
  const reports = await work.run(admin, names, step => {
    const text = `${step.done}/${step.total} ${work.lineOf(step)}\n`
    if (isJson) io.stderr(text)
    else io.stdout(text)
  })
  const failed = reports.filter(report => report.status === "failed").length
  if (isJson) sayJson(io, { accounts: reports })
  else if (reports.length === 0) io.stdout("there are no enabled accounts\n")
  else if (failed > 0) io.stderr(`${failed} of ${reports.length} failed; \`sluice accounts show ACCOUNT\` says more\n`)
  return failed === 0 ? 0 : 1
}

function refreshLine({ account, label, status, error }: RefreshReport): string {
  return `${account} ${label}: ${status}${error === undefined ? "" : ` (${error})`}`
}

function testLine({ account, label, status, error, quota, latency_ms }: TestReport): string {
  const said = error ?? (quota === undefined ? undefined : quotaText(quota, systemClock()))
  return `${account} ${label}: ${status}, ${latency_ms} ms${said === undefined || said === "" ? "" : `; ${said}`}`
}

/** `refresh`. */
export const refreshVerb: Verb = {
  help: REFRESH_HELP,
  flags: { "--all": "switch" },
  run: call =>
    carryOut<RefreshReport>(call, {
      verb: "refresh",
      run: (admin, names, onStep) => admin.refresh(names, onStep),
      lineOf: refreshLine,
    }),
}

/** `test`. */
export const testVerb: Verb = {
  help: TEST_HELP,
  flags: { "--all": "switch" },
  run: call =>
    carryOut<TestReport>(call, {
      verb: "test",
      run: (admin, names, onStep) => admin.test(names, onStep),
      lineOf: testLine,
    }),
}
