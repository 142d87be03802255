/** Mends of the faults of upstream WebSockets, 49 to 51, and of what they add to 73. */

import type { Mend } from "./mend.ts"

/** Each taken out by itself brings its fault back. */
export const WEBSOCKET_MENDS: readonly Mend[] = [
  // The pool keeps an entry whose socket is gone.
  {
    fault: 49,
    file: "src/transport/socket/live-socket.ts",
    find: "    const turn = this.#turn\n    this.#endTurn()\n    this.#leave()\n    turn?.close(code)",
    replace: "    this.#isGone = true\n    this.#turn?.close(code)",
    test: "test/faults/websocket.test.ts",
  },
  // Nobody tells the turn.
  {
    fault: 49,
    file: "src/transport/socket/socket-turn.ts",
    find: 'if (code === ABNORMAL_CODE) this.#failure = brokenSocket("body", code)',
    replace: "void code",
    test: "test/unit/transport/socket/socket-sender.test.ts",
  },
  // A turn that is given up leaves its socket to the next one.
  {
    fault: 50,
    file: "src/transport/socket/live-socket.ts",
    find: "      running.abort(reasonOf(signal))\n      this.#discard()",
    replace: "      running.abort(reasonOf(signal))\n      this.#endTurn()",
    test: "test/faults/websocket.test.ts",
  },
  // Frames that belong to no turn are not minded.
  {
    fault: 50,
    file: "src/transport/socket/live-socket.ts",
    find: 'if (frame.type !== "aside") this.#discard()',
    replace: 'if (frame.type === "doubt") this.#endTurn()',
    test: "test/unit/transport/socket/socket-sender.test.ts",
  },
  {
    fault: 51,
    file: "src/transport/socket/socket-pool.ts",
    find: "return nowMs - live.openedAtMs >= MAX_AGE_MS || nowMs - live.idleSinceMs() >= MAX_IDLE_MS",
    replace: "return nowMs - live.openedAtMs >= MAX_AGE_MS",
    test: "test/unit/transport/socket/socket-sender.test.ts",
  },
  {
    fault: 51,
    file: "src/transport/socket/socket-pool.ts",
    find: "return nowMs - live.openedAtMs >= MAX_AGE_MS ||",
    replace: "return",
    test: "test/unit/transport/socket/socket-sender.test.ts",
  },
  // What the upstream calls too old is taken for the request's fault.
  {
    fault: 51,
    file: "src/protocols/openai-responses/socket/speaker.ts",
    find: '  "websocket_connection_limit_reached",\n',
    replace: "",
    test: "test/faults/websocket.test.ts",
  },
  {
    fault: 73,
    file: "src/transport/socket/socket-sender.ts",
    find: 'if (proxy !== false && parts.bypassesProxies()) return "proxy-exemption"',
    replace: "",
    test: "test/faults/websocket-egress.test.ts",
  },
]
