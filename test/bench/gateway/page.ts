/** Writes docs/performance.md, its plots and the figures as JSON. */

import { availableParallelism, cpus, loadavg, totalmem } from "node:os"
import { join } from "node:path"

import { ROOT } from "../../support/source-tree.ts"
import { type Figure, figureAt } from "./figures.ts"
import { type Bar, barPlot } from "./plots.ts"
import { type StreamRatios, type Target, targetsOf } from "./targets.ts"
import type { Workload } from "./workloads.ts"

/** Everything a run has found out. */
export type Results = {
  /** Loads that were not served. */
  readonly failures: readonly string[]
  readonly figures: readonly Figure[]
  readonly targets: readonly Target[]
  readonly stream: StreamRatios
  readonly workloads: readonly Workload[]
  readonly versions: Readonly<Record<string, string>>
  /** Processes waiting for a processor, a minute's average, before and after. */
  readonly load: readonly number[]
}

/** What was tried where a target is missed, and what else the figures do not say by themselves. */
const NOTES = join(import.meta.dir, "notes.md")

/** The machine's load, a minute's average. */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN
}

/** Writes the page of an earlier run anew, from its figures: after a change of its words or of how targets are judged. */
export async function rewritePage(): Promise<void> {
  const kept: Results = await Bun.file(join(ROOT, "docs", "performance", "figures.json")).json()
  await writePage({ ...kept, targets: targetsOf(kept.figures, kept.stream) })
}

/** Writes the page. */
export async function writePage(results: Results): Promise<void> {
  const folder = join(ROOT, "docs", "performance")
  await Bun.write(join(folder, "figures.json"), `${JSON.stringify({ machine: machine(), ...results }, undefined, 1)}\n`)
  for (const [name, plot] of Object.entries(plotsOf(results.figures)))
    await Bun.write(join(folder, `${name}.svg`), plot)
  await Bun.write(join(ROOT, "docs", "performance.md"), pageText(results, await Bun.file(NOTES).text()))
}

function machine() {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return {
    processor: cpus()[0]?.model ?? "",
    cores: availableParallelism(),
    memoryGb: gigabytes,
    system: process.platform,
  }
}

function plotsOf(figures: readonly Figure[]): Readonly<Record<string, string>> {
  const bars = (workload: string, of: (figure: Figure) => number): readonly Bar[] =>
    figures
      .filter(figure => figure.workload === workload)
      .map(figure => ({ name: figure.road, value: of(figure), own: figure.road.startsWith("Sluice") }))
  const growth = [100, 1000, 9500].flatMap(size =>
    ["nginx", "Sluice responses"].map(road => ({
      name: `${road}, ${size}`,
      value: figureAt(figures, `growth-${size}`, road)?.cpuMicrosAnEvent ?? Number.NaN,
      own: road.startsWith("Sluice"),
    })),
  )
  return {
    paced: barPlot(
      "Processor time an event, 300 paced streams",
      "µs",
      bars("paced", f => f.cpuMicrosAnEvent),
    ),
    burst: barPlot(
      "Processor time an answer of 100 events in one write",
      "µs",
      bars("burst", f => f.cpuMicrosAnAnswer),
    ),
    latency: barPlot(
      "Time to first byte beside 500 streams, p50",
      "ms",
      bars("latency", f => f.probeP50Ms),
    ),
    growth: barPlot("Processor time an event, by number of streams", "µs", growth),
  }
}

/** The table of one workload. */
export function tableOf(figures: readonly Figure[], { name, repeats }: Workload): string {
  const rows = figures.filter(({ workload }) => workload === name)
  const unit = repeats ? "answer" : "event"
  const lines = rows.map(figure => {
    const cost = repeats ? figure.cpuMicrosAnAnswer : figure.cpuMicrosAnEvent
    const rate = repeats ? figure.answersASec : figure.eventsASec
    const late = [figure.deliveryP50Ms, figure.deliveryP99Ms].map(number).join(" / ")
    const first = [figure.probeP50Ms, figure.probeP99Ms].map(number).join(" / ")
    const memory = Number.isFinite(figure.residentBytes) ? `${Math.round(figure.residentBytes / 2 ** 20)}` : "–"
    return `| ${figure.road} | ${number(cost)} | ${number(figure.againstNginx)} | ${Math.round(rate).toLocaleString("en")} | ${late} | ${first} | ${memory} |`
  })
  return [
    `| Gateway | µs an ${unit} | × nginx | ${unit}s a second | event's way p50 / p99, ms | first byte p50 / p99, ms | memory, MiB |`,
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n")
}

function number(value: number): string {
  if (!Number.isFinite(value)) return "–"
  return value.toFixed(value < 100 ? 2 : 0)
}

/** The table of the targets. */
export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ figure, target, measured, verdict }) => {
    return `| ${figure} | ${target} | ${measured} | ${verdict === "met" ? "met" : `**${verdict}**`} |`
  })
  return ["| Figure | Target | Measured | Verdict |", "| --- | --- | --- | --- |", ...rows].join("\n")
}

function pageText(results: Results, notes: string): string {
  const { processor, cores, memoryGb, system } = machine()
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  const rounds = Math.max(...results.figures.map(figure => figure.rounds))
  const sections = results.workloads.map(workload => {
    const { name, says } = workload
    const plot = { paced: "paced", burst: "burst", latency: "latency", "growth-9500": "growth" }[name]
    const picture = plot === undefined ? "" : `\n\n![${name}](performance/${plot}.svg)`
    return `### ${name}\n\n${says}.\n\n${tableOf(results.figures, workload)}${picture}\n`
  })
  const failed = results.failures.map(line => `* ${line.replaceAll(/\s+/g, " ")}`).join("\n")
  const unserved =
    failed === "" ? "" : `\n## Not served\n\nThese loads have no figure, because not every answer came:\n\n${failed}\n`
  return `<!-- Generated by \`./dev bench gateway --write\` from test/bench/gateway; the words are in notes.md there. -->

# Performance

Measured on ${processor}, ${cores} cores, ${memoryGb} GiB, ${system}; ${versions.join(", ")}.
Load average of the machine ${results.load.map(value => value.toFixed(1)).join(" before and ")} after the run, of which the bench itself makes about 2:
more means that others used the machine, which lengthens times and raises all costs; ratios suffer less.
Medians of ${rounds} rounds in turns; the growth steps run once.

## Targets

${targetTable(results.targets)}

${notes.trim()}
${unserved}
## Workloads

${sections.join("\n")}
The same figures as JSON: [figures.json](performance/figures.json).
`
}
