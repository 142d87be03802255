/** Has the owner answer what a relay does not carry. */

import { type PassTo, passOn } from "#http/pass-on.ts"

/** Asks the owner. A refusal to even listen is said in plain words: nobody knows the client's dialect here. */
export async function askOwner(request: Request, to: PassTo): Promise<Response> {
  try {
    return await passOn(request, to)
  } catch {
    // The client is gone, or the owner is: in neither case is anybody served by more words.
    return Response.json({ error: { message: "The gateway is stopping." } }, { status: 503 })
  }
}
