/** Addresses of the OpenAI API that Codex accounts have nothing behind: each says what is missing, and what to do instead. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { guarded } from "#http/guarded.ts"
import type { ServeParts } from "#http/serve-model.ts"

/** An address without its prefix, and what a client is told there. */
type NotServed = { readonly path: string; readonly what: string; readonly instead: string }

const KEEP_ELSEWHERE = "let the client use another provider for them"
const SEND_IT_WHOLE = "send the whole conversation in the request itself"

const NOT_SERVED: readonly NotServed[] = [
  { path: "/embeddings", what: "Embeddings", instead: KEEP_ELSEWHERE },
  { path: "/moderations", what: "Moderations", instead: KEEP_ELSEWHERE },
  { path: "/audio/*", what: "Speech and transcription", instead: KEEP_ELSEWHERE },
  { path: "/realtime/*", what: "Realtime sessions", instead: KEEP_ELSEWHERE },
  { path: "/videos", what: "Videos", instead: KEEP_ELSEWHERE },
  { path: "/videos/*", what: "Videos", instead: KEEP_ELSEWHERE },
  { path: "/images/variations", what: "Image variations", instead: "use POST /v1/images/edits" },
  { path: "/files", what: "Files", instead: "send a file's content inside the request" },
  { path: "/files/*", what: "Files", instead: "send a file's content inside the request" },
  { path: "/uploads", what: "Uploads", instead: "send a file's content inside the request" },
  { path: "/uploads/*", what: "Uploads", instead: "send a file's content inside the request" },
  { path: "/batches", what: "Batches", instead: "send the requests one by one" },
  { path: "/batches/*", what: "Batches", instead: "send the requests one by one" },
  { path: "/fine_tuning/*", what: "Fine-tuning jobs", instead: KEEP_ELSEWHERE },
  { path: "/evals", what: "Evals", instead: KEEP_ELSEWHERE },
  { path: "/evals/*", what: "Evals", instead: KEEP_ELSEWHERE },
  { path: "/vector_stores", what: "Vector stores", instead: KEEP_ELSEWHERE },
  { path: "/vector_stores/*", what: "Vector stores", instead: KEEP_ELSEWHERE },
  { path: "/containers", what: "Containers", instead: KEEP_ELSEWHERE },
  { path: "/containers/*", what: "Containers", instead: KEEP_ELSEWHERE },
  { path: "/assistants", what: "Assistants", instead: "use POST /v1/responses" },
  { path: "/assistants/*", what: "Assistants", instead: "use POST /v1/responses" },
  { path: "/threads", what: "Threads", instead: SEND_IT_WHOLE },
  { path: "/threads/*", what: "Threads", instead: SEND_IT_WHOLE },
  { path: "/conversations", what: "Conversations", instead: SEND_IT_WHOLE },
  { path: "/conversations/*", what: "Conversations", instead: SEND_IT_WHOLE },
]

/** Returns the routes under one prefix as an Elysia plugin: 404 `unsupported_endpoint` in the OpenAI envelope. */
export function notServedRoutes(prefix: string, parts: ServeParts) {
  const app = new Elysia({ prefix })
  for (const { path, what, instead } of NOT_SERVED) {
    const refuse = () => {
      throw new GatewayError("not-found", `${what} are not available on Codex accounts; ${instead}.`, {
        code: "unsupported_endpoint",
      })
    }
    app.all(path, ({ request }) => guarded(request, parts, refuse), { parse: "none" })
  }
  return app
}
