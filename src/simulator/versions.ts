/** Client versions: reading them from headers and telling which is older. */

/** True when `version` is below `minimum`; anything unreadable counts as 0.0.0. */
export function isOlderVersion(version: string, minimum: string): boolean {
  const left = numbersOf(version)
  const right = numbersOf(minimum)
  for (const [index, wanted] of right.entries()) {
    const given = left[index] ?? 0
    if (given !== wanted) return given < wanted
  }
  return false
}

/** The version a request states: the `version` header, else the one behind the user agent's product. */
export function clientVersionOf(headers: Headers): string | undefined {
  return headers.get("version") ?? userAgentProduct(headers)?.version
}

/** The first product of the user agent, `name/version`, or undefined when it has another shape. */
export function userAgentProduct(headers: Headers): { readonly name: string; readonly version: string } | undefined {
  const match = /^([^/]+)\/(\d[^\s]*)/.exec(headers.get("user-agent") ?? "")
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { name: match[1], version: match[2] }
}

function numbersOf(version: string): readonly number[] {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version)
  return match === null ? [0, 0, 0] : match.slice(1, 4).map(Number)
}
