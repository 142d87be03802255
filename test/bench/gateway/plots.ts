/** Bars as SVG, readable on light and dark pages. */

/** One bar. */
export type Bar = { readonly name: string; readonly value: number; readonly own: boolean }

const WIDTH = 720
const NAME_WIDTH = 190
const ROW = 26
const TOP = 40

/** Draws horizontal bars, the longest as wide as there is room. */
export function barPlot(title: string, unit: string, bars: readonly Bar[]): string {
  const known = bars.filter(({ value }) => Number.isFinite(value))
  const longest = Math.max(...known.map(({ value }) => value))
  const room = WIDTH - NAME_WIDTH - 110
  const rows = known.map(({ name, value, own }, at) => {
    const y = TOP + at * ROW
    const width = Math.max(1, Math.round((value / longest) * room))
    return [
      `<text x="${NAME_WIDTH - 8}" y="${y + 15}" text-anchor="end">${name}</text>`,
      `<rect x="${NAME_WIDTH}" y="${y + 3}" width="${width}" height="16" fill="${own ? "#2f81f7" : "#8b949e"}"/>`,
      `<text x="${NAME_WIDTH + width + 6}" y="${y + 15}">${value.toFixed(value < 10 ? 2 : 1)} ${unit}</text>`,
    ].join("\n")
  })
  const height = TOP + known.length * ROW + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
<style>text { font: 13px sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #adbac7 } }</style>
<text x="8" y="20" style="font-weight: bold">${title}</text>
${rows.join("\n")}
</svg>
`
}
