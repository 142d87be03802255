/** Which gateway a command about clients means, and the keys that are known for it. */

import { readGatewayUrl } from "#cli/admin/open-admin.ts"
import { reachableUrl } from "#cli/admin/remote-gateway.ts"
import type { Config } from "#config/config.ts"
import { GatewayError } from "#core/errors.ts"
import { isLoopbackName } from "#http/admission.ts"

/** Without a slash at its end; a path stays where the gateway stands below one. */
export function gatewayOrigin(config: Pick<Config, "listen">, given: string | undefined): string {
  if (given === undefined) {
    const { host, port } = config.listen
    const url = reachableUrl(`http://${host.includes(":") ? `[${host}]` : host}:${port}`)
    if (url === undefined) throw new GatewayError("invalid-request", "listen names no address that can be asked.")
    return url.origin
  }
  const url = readGatewayUrl(given)
  if (url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new GatewayError(
      "invalid-request",
      "--gateway: expected an address without a question mark, a hash or a login.",
      {
        hint: "For example --gateway https://sluice.example.com",
      },
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")
}

/** True where two addresses mean one port of this machine, or are the same. */
export function isSameOrigin(left: URL, right: URL): boolean {
  if (left.protocol !== right.protocol || left.port !== right.port) return false
  return left.hostname === right.hostname || (isLoopbackName(left.hostname) && isLoopbackName(right.hostname))
}
