/** The requests of the load generator: one wish for an answer, in each dialect, as bytes of HTTP. */

import type { WireRequest } from "./load-plan.ts"
import { type AnswerWish, wishText } from "./marks.ts"
import { CLIENT_KEY, type Peer } from "./peers.ts"

/** What a client speaks; `collect` is Chat without a stream. */
export type Dialect = "responses" | "chat" | "messages" | "gemini" | "collect"

/** The answer wanted, and how large the request is to be. */
export type RequestWish = AnswerWish & { readonly requestBytes?: number }

const MODEL = "gpt-5.5"

/**
 * Builds the request a peer gets. Only Sluice speaks several dialects: every other peer is sent the very request that
 * Sluice sends upstream, and hands on the same bytes.
 */
export function wireRequest(peer: Peer, dialect: Dialect, wish: RequestWish): WireRequest {
  const filler = "lorem ipsum ".repeat(Math.ceil((wish.requestBytes ?? 0) / 12))
  const prompt = `${wishText(wish, 0)} go ${filler}`
  const isSluice = peer.name.startsWith("Sluice")
  const { path, body } = isSluice ? DIALECTS[dialect](prompt) : { ...DIALECTS.responses(prompt), path: pathOf(peer) }
  const text = JSON.stringify(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${peer.port}`,
    "content-type: application/json",
    `authorization: Bearer ${CLIENT_KEY}`,
    ...(isSluice ? ["anthropic-version: 2023-06-01", `x-goog-api-key: ${CLIENT_KEY}`] : []),
    ...(peer.name === "Portkey" ? portkeyFields(peer) : []),
    `content-length: ${Buffer.byteLength(text)}`,
  ]
  return { text: `${head.join("\r\n")}\r\n\r\n${text}`, events: wish.events }
}

function pathOf(peer: Peer): string {
  return peer.name === "Portkey" ? "/v1/responses" : "/backend-api/codex/responses"
}

/** Portkey asks the address named here, under the paths of OpenAI's API. */
function portkeyFields({ upstreamPort }: Peer): readonly string[] {
  return ["x-portkey-provider: openai", `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`]
}

type Written = { readonly path: string; readonly body: unknown }

const DIALECTS: Readonly<Record<Dialect, (prompt: string) => Written>> = {
  responses: prompt => ({
    path: "/v1/responses",
    body: {
      model: MODEL,
      instructions: "",
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: prompt }] }],
      store: false,
      stream: true,
    },
  }),
  chat: prompt => ({
    path: "/v1/chat/completions",
    body: { model: MODEL, stream: true, messages: [{ role: "user", content: prompt }] },
  }),
  messages: prompt => ({
    path: "/v1/messages",
    body: { model: MODEL, max_tokens: 8000, stream: true, messages: [{ role: "user", content: prompt }] },
  }),
  gemini: prompt => ({
    path: `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: "user", parts: [{ text: prompt }] }] },
  }),
  collect: prompt => ({
    path: "/v1/chat/completions",
    body: { model: MODEL, stream: false, messages: [{ role: "user", content: prompt }] },
  }),
}
