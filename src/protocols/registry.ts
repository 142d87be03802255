/** The table of dialects: a new one does not compile without its line here. */

import type { ProtocolId } from "#core/ids.ts"

import { decodeMessagesRequest } from "./anthropic-messages/decode-request.ts"
import { encodeMessagesError } from "./anthropic-messages/encode-error.ts"
import { makeMessagesEncoder } from "./anthropic-messages/encode-stream.ts"
import { makeMessagesFolder } from "./anthropic-messages/fold.ts"
import { decodeGeminiRequest } from "./gemini/decode-request.ts"
import { encodeGeminiError } from "./gemini/encode-error.ts"
import { makeGeminiEncoder } from "./gemini/encode-stream.ts"
import { makeGeminiFolder } from "./gemini/fold.ts"
import { decodeOllamaRequest } from "./ollama/decode-request.ts"
import { encodeOllamaError } from "./ollama/encode-error.ts"
import { makeOllamaEncoder } from "./ollama/encode-stream.ts"
import { makeOllamaFolder } from "./ollama/fold.ts"
import { decodeChatRequest } from "./openai-chat/decode-request.ts"
import { encodeChatError } from "./openai-chat/encode-error.ts"
import { makeChatEncoder } from "./openai-chat/encode-stream.ts"
import { makeChatFolder } from "./openai-chat/fold.ts"
import { decodeCompletionsRequest } from "./openai-completions/decode-request.ts"
import { makeCompletionsEncoder } from "./openai-completions/encode-stream.ts"
import { makeCompletionsFolder } from "./openai-completions/fold.ts"
import { decodeImagesRequest } from "./openai-images/decode-request.ts"
import { makeImagesEncoder } from "./openai-images/encode-stream.ts"
import { makeImagesFolder } from "./openai-images/fold.ts"
import { decodeResponsesRequest } from "./openai-responses/decode-request.ts"
import { makeResponsesDecoder } from "./openai-responses/decode-stream.ts"
import { encodeResponsesError } from "./openai-responses/encode-error.ts"
import { encodeResponsesRequest } from "./openai-responses/encode-request.ts"
import { measureResponsesRequest } from "./openai-responses/measure-request.ts"
import { makeResponsesProbe } from "./openai-responses/probe.ts"
import { makeResponsesCollector } from "./openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "./openai-responses/relay-stream.ts"
import type { ClientProtocol, UpstreamProtocol } from "./protocol.ts"

/** What clients speak. */
export const clientProtocols: Readonly<Record<ProtocolId, ClientProtocol>> = {
  "openai-chat": {
    id: "openai-chat",
    decodeRequest: decodeChatRequest,
    encodeError: encodeChatError,
    encoding: { makeEncoder: makeChatEncoder, makeFolder: makeChatFolder },
  },
  "openai-responses": {
    id: "openai-responses",
    decodeRequest: decodeResponsesRequest,
    encodeError: encodeResponsesError,
  },
  "openai-completions": {
    id: "openai-completions",
    decodeRequest: decodeCompletionsRequest,
    encodeError: encodeChatError,
    encoding: { makeEncoder: makeCompletionsEncoder, makeFolder: makeCompletionsFolder },
  },
  "openai-images": {
    id: "openai-images",
    decodeRequest: decodeImagesRequest,
    encodeError: encodeChatError,
    encoding: { makeEncoder: makeImagesEncoder, makeFolder: makeImagesFolder },
  },
  "anthropic-messages": {
    id: "anthropic-messages",
    decodeRequest: decodeMessagesRequest,
    encodeError: encodeMessagesError,
    requestIdHeader: "request-id",
    encoding: { makeEncoder: makeMessagesEncoder, makeFolder: makeMessagesFolder },
  },
  gemini: {
    id: "gemini",
    decodeRequest: decodeGeminiRequest,
    encodeError: encodeGeminiError,
    encoding: { makeEncoder: makeGeminiEncoder, makeFolder: makeGeminiFolder },
  },
  ollama: {
    id: "ollama",
    decodeRequest: decodeOllamaRequest,
    encodeError: encodeOllamaError,
    encoding: { makeEncoder: makeOllamaEncoder, makeFolder: makeOllamaFolder },
  },
}

/** What upstreams speak. */
export const upstreamProtocols = {
  "openai-responses": {
    id: "openai-responses",
    encodeRequest: encodeResponsesRequest,
    measureRequest: measureResponsesRequest,
    makeDecoder: makeResponsesDecoder,
    makeProbe: makeResponsesProbe,
    makeRelay: makeResponsesRelay,
    makeRelayCollector: makeResponsesCollector,
  },
} as const satisfies Partial<Record<ProtocolId, UpstreamProtocol>>
