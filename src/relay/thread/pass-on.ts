/** Passes a request on to the owner and its answer back, bytes as they come. */

import { PEER_HEADER } from "#relay/messages.ts"

/** Headers that belong to one connection (RFC 9110 section 7.6.1), and the one that only a relay may set. */
const DROPPED = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "content-length",
  "upgrade",
  PEER_HEADER,
]

/** Headers of the client's request as the owner gets them. */
export function forwardedHeaders(client: Headers, peer: string | undefined): Headers {
  const headers = new Headers(client)
  for (const name of DROPPED) headers.delete(name)
  if (peer !== undefined) headers.set(PEER_HEADER, peer)
  return headers
}

/** Asks the owner. A refusal to even listen is said in plain words: nobody knows the client's dialect here. */
export async function passOn(
  request: Request,
  { door, peer, extra = {} }: { readonly door: string; readonly peer: string | undefined; readonly extra?: object },
): Promise<Response> {
  const headers = forwardedHeaders(request.headers, peer)
  for (const [name, value] of Object.entries(extra)) headers.set(name, String(value))
  try {
    const answer = await fetch(request.url, {
      unix: door,
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      decompress: false,
      timeout: false,
      signal: request.signal,
    })
    const own = new Headers(answer.headers)
    for (const name of DROPPED) own.delete(name)
    // A process that is being replaced sends its clients to the next one.
    if (answer.headers.get("connection") === "close") own.set("connection", "close")
    return new Response(answer.body, { status: answer.status, headers: own })
  } catch {
    // The client is gone, or the owner is: in neither case is anybody served by more words.
    return Response.json({ error: { message: "The gateway is stopping." } }, { status: 503 })
  }
}
