/** What browsers are told about the port: which page may read an answer, and what it may send. */

/** The list that Ollama itself has. */
const ALLOWED_HEADERS = [
  "Authorization",
  "Content-Type",
  "User-Agent",
  "Accept",
  "X-Requested-With",
  "OpenAI-Beta",
  ...[
    "arch",
    "async",
    "custom-poll-interval",
    "helper-method",
    "lang",
    "os",
    "package-version",
    "poll-helper",
    "retry-count",
    "runtime",
    "runtime-version",
    "timeout",
  ].map(name => `x-stainless-${name}`),
].join(", ")

/** Answers a preflight of an admitted page. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": "600",
    },
  })
}

/** Names the one page that may read the answer; undefined = nobody asked for any. */
export function withOrigin(response: Response, origin: string | undefined): Response {
  response.headers.append("vary", "Origin")
  if (origin !== undefined) response.headers.set("access-control-allow-origin", origin)
  return response
}
