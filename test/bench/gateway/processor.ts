/** What the kernel says a process has used: processor time and memory; and how to give it a processor of its own. */

import { dlopen, ptr } from "bun:ffi"
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"

/** `CPUCLOCK_SCHED` of a whole process, as `clock_getcpuclockid(3)` builds it. */
const SCHED_CLOCK = 2

/** Returns a reader of a process's user and system time in microseconds, all threads. Linux only. */
export function makeCpuReader(): (pid: number) => number {
  const { symbols } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } })
  const time = new BigInt64Array(2)
  return pid => {
    if (symbols.clock_gettime((~pid << 3) | SCHED_CLOCK, ptr(time)) !== 0) throw new Error(`process ${pid} is gone`)
    return Number(time[0] ?? 0n) * 1e6 + Number(time[1] ?? 0n) / 1e3
  }
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024
}

/**
 * The words that pin a command: what is measured on the last processor, load and upstream on the first. Empty where
 * there is one processor, or no `taskset`.
 */
export function pinned(to: "measured" | "load"): readonly string[] {
  const count = availableParallelism()
  if (count < 2 || Bun.which("taskset") === null) return []
  return ["taskset", "-c", to === "measured" ? `${count - 1}` : "0"]
}
