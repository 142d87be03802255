/** Which turns may go over a WebSocket, and what goes where in one. */

import { expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { socketTurnOf, type UpstreamTransport } from "#gateway/turn/socket-turn.ts"
import type { Turn } from "#gateway/turn/turn-types.ts"
import type { TurnContext } from "#providers/provider.ts"
import { makeProviders } from "#providers/registry.ts"

const IDENTITY = { originator: "codex_cli_rs", userAgent: "codex_cli_rs/1.0.0 (x)", clientVersion: "1.0.0" }
const PROVIDERS = makeProviders({ identity: IDENTITY })
const CONTEXT: TurnContext = { sessionId: "session-1", codexClient: false, turnStateIsOurs: false }

function account(credential: Account["credential"], provider: Account["provider"]): Account {
  // Only what a request is made from.
  return { id: "acc_1" as AccountId, provider, credential, workspaceId: "workspace-1" } as Account
}

const CHATGPT = account({ type: "chatgpt", accessToken: "token-1" } as Account["credential"], "codex")

function socketOf(
  transport: UpstreamTransport,
  {
    endpoint = "turn",
    prefers,
    of = CHATGPT,
    context = CONTEXT,
  }: {
    readonly endpoint?: Turn["kind"]["endpoint"]
    readonly prefers?: boolean
    readonly of?: Account
    readonly context?: TurnContext
  } = {},
) {
  const info = prefers === undefined ? {} : { info: { slug: "m", raw: { prefer_websockets: prefers } } }
  const turn = { kind: { endpoint }, plan: { slug: "m", ...info } } as unknown as Turn
  const target = { account: of, baseUrl: "https://chatgpt.com/backend-api/codex" }
  const to = { provider: PROVIDERS[of.provider], target }
  return socketTurnOf(turn, to, { body: { model: "m" }, context }, transport)
}

test("the setting decides: never, always, or as the model's entry says", () => {
  const goes = (["http", "ws", "auto"] as const).map(transport =>
    [undefined, false, true].map(
      prefers => socketOf(transport, prefers === undefined ? {} : { prefers }) !== undefined,
    ),
  )
  expect(goes).toEqual([
    [false, false, false],
    [true, true, true],
    [false, false, true],
  ])
})

test("compactions of the older kind and API keys stay on HTTP", () => {
  expect(socketOf("ws", { endpoint: "compact" })).toBeUndefined()
  const key = account({ type: "api-key", apiKey: "sk-1" } as Account["credential"], "openai-api")
  expect(socketOf("ws", { of: key })).toBeUndefined()
})

test("the handshake says who asks, and the frame what is one turn's own", () => {
  const clientHeaders = new Headers({
    "x-codex-turn-metadata": "m",
    "x-codex-beta-features": "remote_compaction_v2",
    "x-codex-turn-state": "state",
    "user-agent": "not ours",
  })
  const context = { ...CONTEXT, codexClient: true, turnStateIsOurs: true, lite: true, clientHeaders }
  expect(socketOf("ws", { context })).toEqual({
    url: "wss://chatgpt.com/backend-api/codex/responses",
    conversation: "session-1",
    headers: {
      authorization: "Bearer token-1",
      "chatgpt-account-id": "workspace-1",
      originator: "codex_cli_rs",
      "user-agent": "codex_cli_rs/1.0.0 (x)",
      version: "1.0.0",
      "openai-beta": "responses_websockets=2026-02-06",
      "session-id": "session-1",
      "x-codex-beta-features": "remote_compaction_v2",
    },
    metadata: {
      "x-codex-turn-metadata": "m",
      "x-codex-turn-state": "state",
      ws_request_header_x_openai_internal_codex_responses_lite: "true",
    },
    body: { model: "m" },
  })
})

test("another account's turn state stays behind, and a plain client brings nothing", () => {
  const clientHeaders = new Headers({ "x-codex-turn-state": "state", "x-codex-window-id": "w" })
  const foreign = socketOf("ws", { context: { ...CONTEXT, codexClient: true, clientHeaders } })
  expect(foreign?.metadata).toEqual({ "x-codex-window-id": "w" })
  expect(socketOf("ws", { context: { ...CONTEXT, clientHeaders } })?.metadata).toEqual({})
})
