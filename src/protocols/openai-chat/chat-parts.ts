/** Pieces of JSON text that the Chat stream and the folded answer write alike. */

import type { UrlCitation } from "#core/events.ts"
import type { JsonText } from "#core/json.ts"

/** A citation: nested under its type, unlike in Responses. */
export function chatCitationText({ url, title, startIndex, endIndex }: UrlCitation): string {
  return JSON.stringify({
    type: "url_citation",
    url_citation: { url, title, start_index: startIndex, end_index: endIndex },
  })
}

/** A generated image. The field is an extension many clients read; the official SDK ignores it. */
export function chatImageText(index: number, url: JsonText): string {
  return `{"index":${index},"type":"image_url","image_url":{"url":${url}}}`
}
