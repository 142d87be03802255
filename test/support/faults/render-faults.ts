/** Writes `docs/faults.md`: every numbered fault, the tests that hold it, and whether taking its mend out was recorded. */

import { FAULT_SECTIONS, NUMBERED_FAULTS, type NumberedFault } from "../../faults/numbered-faults.ts"
import type { FaultTest } from "./fault-tests.ts"
import type { RecordedMend } from "./mends.ts"

const HEAD = `<!-- Generated from test/faults/numbered-faults.ts and the titles of the tests. Run \`UPDATE_GENERATED=1 bun test test/faults.test.ts\` after a change. -->

# Numbered faults

What gateways of this kind are known to get wrong, and what Sluice does instead. A test holds a fault when its title begins with
\`fault NN: \`; most run the compiled binary over the simulator, and what is only a matter of time runs in virtual time.

A *mend* is the line of the source that a fault would come back without. \`./dev mends\` takes the recorded ones out, one after the
other, in a copy of the checkout, and expects the tests of the fault to fail there.
`

/** Returns the page. */
export function renderFaults(tests: readonly FaultTest[], mends: readonly RecordedMend[]): string {
  const held = NUMBERED_FAULTS.filter(({ number }) => tests.some(({ fault }) => fault === number)).length
  const mended = NUMBERED_FAULTS.filter(({ number }) => mends.some(({ fault }) => fault === number)).length
  const sections = FAULT_SECTIONS.map(section => {
    const rows = NUMBERED_FAULTS.filter(fault => fault.section === section).map(fault => rowOf(fault, tests, mends))
    return `\n## ${section}\n\n| Nr. | What has to happen | Held by | Mend |\n| ---: | --- | --- | --- |\n${rows.join("\n")}\n`
  })
  const total = NUMBERED_FAULTS.length
  return `${HEAD}\n${held} of ${total} are held by tests; for ${mended} of them a mend is recorded.\n${sections.join("")}`
}

function rowOf({ number, behaviour }: NumberedFault, tests: readonly FaultTest[], mends: readonly RecordedMend[]) {
  const own = tests.filter(({ fault }) => fault === number)
  const isMended = mends.some(({ fault }) => fault === number)
  return `| ${number} | ${behaviour} | ${own.length === 0 ? "**not held yet**" : heldBy(own)} | ${isMended ? "recorded" : "–"} |`
}

/** One line a file, its titles behind it. */
function heldBy(tests: readonly FaultTest[]): string {
  const files = [...new Set(tests.map(({ file }) => file))]
  return files
    .map(file => {
      const titles = tests.filter(one => one.file === file).map(({ title }) => inCell(title))
      return `[${file.replace(/^test\//, "")}](../${file}): ${titles.join("; ")}`
    })
    .join("<br>")
}

/** Placeholders of tables of cases read as an ellipsis; a bar would end the cell. */
function inCell(title: string): string {
  return title
    .replaceAll(/%[sdj]|\$\{[^}]*\}|\$[a-z]\w*/gi, "…")
    .replaceAll("\\", "")
    .replaceAll("|", "\\|")
}
