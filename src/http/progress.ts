/** Long operations: a report at the end, or their progress as server-sent events. */

import { toGatewayError } from "#core/errors.ts"

import { adminErrorBody } from "./admin-error.ts"

/** A long operation that tells its steps and has a result. */
export type Report = (onProgress: (step: unknown) => void) => Promise<unknown>

/**
 * One JSON report at the end, or the steps as they happen for a client that asks for events: `event: progress` for each,
 * then `event: done` with the report, or `event: error`.
 */
export function report(request: Request, run: Report): Promise<Response> | Response {
  const wantsEvents = (request.headers.get("accept") ?? "").includes("text/event-stream")
  if (!wantsEvents) return run(() => {}).then(result => Response.json(result))
  return new Response(progressStream(run), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
  })
}

function progressStream(run: Report): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const frame = (event: string, data: unknown) => encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  let open = true
  return new ReadableStream({
    start: async controller => {
      // Steps are few and small (one an account), so they may be queued without demand.
      const last = await run(step => open && controller.enqueue(frame("progress", step))).then(
        result => frame("done", result),
        // The status line has gone; the error is the last event instead of a broken stream.
        cause => frame("error", adminErrorBody(toGatewayError(cause))),
      )
      if (!open) return
      controller.enqueue(last)
      controller.close()
    },
    cancel: () => {
      open = false
    },
  })
}
