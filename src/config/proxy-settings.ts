/** Settings of the section `proxies`: how the operators' proxies are checked. The proxies themselves live in `core.db`. */

import { seconds, text } from "./leaf.ts"

/** The section's settings. */
export const PROXY_SETTINGS = {
  "check-interval": seconds({
    default: 300,
    description:
      "How often each proxy is asked whether it still leads anywhere, with a request that carries no account. After a failure it is asked sooner. 0 = only when somebody orders it.",
    live: true,
  }),
  "echo-url": text({
    default: "",
    description:
      "Address that answers with the caller's own, as text or as JSON with `ip`, for the exit addresses of proxies. Whoever runs it learns these addresses. Empty = nobody is asked: the checks then ask the origin of `base-url`, and exit addresses stay unknown.",
    expected: "an http or https address, or nothing",
    pattern: "^$|^https?://[^\\s/?#]+[^\\s]*$",
    live: true,
  }),
}
