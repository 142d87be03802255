/** Settings of the section `response-memory`: what clients can continue by id although no upstream stores it. */

import { bytes, flag, seconds } from "./leaf.ts"

/** The section's settings. */
export const MEMORY_SETTINGS = {
  enabled: flag({
    default: true,
    description:
      "Remembers Responses answers, in memory only, so that `previous_response_id`, `item_reference` and `GET /v1/responses/{id}` work. Requests with `store: false` are never remembered.",
    live: true,
  }),
  "max-bytes": bytes({
    default: "64MiB",
    description: "Memory for remembered answers; the oldest go first.",
    live: true,
  }),
  ttl: seconds({ default: 3600, description: "How long an answer is remembered.", live: true }),
}
