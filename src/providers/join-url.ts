/** Joins base URLs that people typed with the paths we need. */

/**
 * Appends `path` (which begins with `/`) to a base URL. Slashes at the end of the base and its query do not matter,
 * and a base that already ends with `path` is taken as it is.
 */
export function joinUrl(baseUrl: string, path: string): string {
  const base = trimBase(baseUrl)
  return base.endsWith(path) ? base : base + path
}

/**
 * Returns the base with its API version: `https://host` becomes `https://host/v1`, while a base that has a path of its
 * own (`…/v1`, `…/openai/v1`, `…/api`) is taken at its word. A pasted endpoint loses its last part.
 */
export function versionedBase(baseUrl: string): string {
  const base = trimBase(baseUrl).replace(/\/(responses|chat\/completions|models)$/, "")
  return /^[a-z]+:\/\/[^/]+$/i.test(base) ? `${base}/v1` : base
}

function trimBase(baseUrl: string): string {
  return (baseUrl.trim().split(/[?#]/, 1)[0] ?? "").replace(/\/+$/, "")
}
