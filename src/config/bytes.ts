/** Reads sizes such as `64MiB`. */

const FACTORS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
}

/**
 * Returns the number of bytes a size stands for. A number is bytes; `KiB MiB GiB` and the short `k m g` count in 1024,
 * `kB MB GB` in 1000. The schema's pattern has already refused anything else, so other text is a bug and throws.
 */
export function parseBytes(size: number | string): number {
  if (typeof size === "number") return size
  const match = /^([0-9]+) ?([a-z]+)$/i.exec(size)
  const factor = FACTORS[(match?.[2] ?? "").toLowerCase()]
  if (match === null || factor === undefined) throw new Error(`not a size: ${size}`)
  return Number(match[1]) * factor
}
