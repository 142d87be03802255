/**
 * A gateway with 200 accounts under about 50 token refreshes a second dies of SIGKILL at random moments; after each death the
 * token that lies on its disk is compared with the one the token server takes. Exit code 1 when one was lost.
 * Run: `./dev bench crash`; `--kills N`, `--smoke` for a few, `--accounts N`, `--seed N` for the same moments again.
 */

import { parseArgs } from "node:util"

import { type CrashTotals, runCrashes } from "../support/crash/run.ts"

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    accounts: { type: "string", default: "200" },
    seed: { type: "string" },
    smoke: { type: "boolean", default: false },
  },
})

// The gateway and the simulator are ended on the way out.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

const kills = Number(values.kills ?? (values.smoke ? 5 : 200))
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const startedAtMs = performance.now()

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function describe(refused: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(refused).map(([code, count]) => `${count} ${code}`)
  return reasons.length === 0 ? "none" : reasons.join(", ")
}

function print(totals: CrashTotals): void {
  const { upMs, refreshes, files, requests, secrets, kinds, bare } = totals
  const each = (count: "accounts" | "inFlight") =>
    `${kinds.file[count]} in files, ${kinds.stored[count]} stored, ${kinds.bare[count]} bare tokens`
  const rows = [
    ["accounts", each("accounts")],
    ["kills", `${totals.kills.total}, ${totals.kills.early} of them during the start; seed ${seed}`],
    ["refreshes", `${refreshes} in ${seconds(upMs)} of being up, ${(refreshes / (upMs / 1000)).toFixed(1)} a second`],
    ["in flight at kills", `${totals.inFlight}, ${(totals.inFlight / totals.kills.total).toFixed(2)} a kill`],
    ["  of accounts", each("inFlight")],
    ["  answer lost", `${totals.answersLost}`],
    ["  healed", `${totals.healed}`],
    ["  asked for login", `${totals.logins}, each with the reason`],
    ["  replaced", `${totals.replaced} by another sign-in of the account that had come in`],
    [
      "bare tokens",
      `${bare.pasted} handed over, ${bare.promoted} got their lasting id; ${bare.killedBetween} times a kill came just before`,
    ],
    ["dead tokens on disk", `${totals.lost} outside of those in flight`],
    ["account files", `${files.behind} behind at kills, ${files.repaired} repaired by the next start`],
    ["requests", `${requests.served} served; refused: ${describe(requests.refused)}`],
    ["secrets in clear", `${secrets.findings.length}; ${secrets.count} were searched for`],
    ["took", seconds(performance.now() - startedAtMs)],
  ]
  for (const [name = "", text] of rows) console.log(`${name.padEnd(20)} ${text}`)
}

const totals = await runCrashes({
  kills,
  seed,
  accounts: Number(values.accounts),
  onKill: ({ kills: { total }, refreshes, lost }) => {
    if (total % 20 === 0) console.log(`… ${total} kills, ${refreshes} refreshes, ${lost} lost`)
  },
})
print(totals)
for (const { where, offset, secret, writtenAs } of totals.secrets.findings.slice(0, 10)) {
  console.log(`  secret in ${where}, byte ${offset}: ${secret} as ${writtenAs}`)
}
for (const complaint of totals.complaints.slice(0, 20)) console.log(`  ${complaint}`)
console.log(totals.complaints.length === 0 ? "nothing was lost" : `FAILED: ${totals.complaints.length} complaints`)
process.exit(totals.complaints.length === 0 ? 0 : 1)
