/** Settings about how turns travel to the upstream, and about the threads that carry them. */

import { choice, numberOrAuto, wholeNumber } from "./leaf.ts"

/** Settings of the group `Network`. */
export const TRANSPORT_SETTINGS = {
  "upstream-transport": choice(["http", "ws", "auto"], {
    default: "http",
    description:
      "How turns of ChatGPT accounts reach the upstream: each as a request (`http`), over a WebSocket a conversation that sends only what is new (`ws`), or over WebSocket for the models of which the upstream's list says that they prefer it (`auto`). Where a WebSocket does not work, HTTP is used.",
    live: true,
  }),
  "upstream-sockets-per-account": wholeNumber({
    default: 16,
    minimum: 1,
    maximum: 45,
    description:
      "WebSockets one account may have open, at most: upstreams refuse more than about fifty. The one that has been idle longest makes room; when all are at work, HTTP is used.",
    live: true,
  }),
}

/** Settings of the group `Limits and threads`. */
export const THREAD_SETTINGS = {
  workers: numberOrAuto({
    default: 1,
    minimum: 1,
    maximum: 64,
    description:
      "Threads that share the port and carry the bytes of model turns, while one more decides. 1 = one thread does it all. `auto` = 1 below four cores, where the thread that decides and the network's own need what there is, else one fewer than there are cores, at most 8. Linux only: elsewhere threads cannot share a port, and one does it all.",
    live: false,
  }),
}
