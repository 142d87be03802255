/** Names of ways out, as accounts carry them. A name without a way behind it is closed: nobody goes out another way instead. */

/** Straight to the upstream, because an operator has said so. */
export const DIRECT_EGRESS_NAME = "direct"

const PROXY_PREFIX = "proxy/"

/** The way out of accounts that belong to the proxy pool while there is no proxy for them. */
export const UNCHOSEN_EGRESS_NAME: string = `${PROXY_PREFIX}none`

/** Name of the way through one of the operators' proxies; it stays when the proxy's address changes. */
export function proxyEgressName(proxyId: string): string {
  return `${PROXY_PREFIX}${proxyId}`
}

/** Id of the proxy a name stands for; undefined for names that configuration files have brought, and for `direct`. */
export function proxyIdIn(egress: string): string | undefined {
  return egress.startsWith(PROXY_PREFIX) ? egress.slice(PROXY_PREFIX.length) : undefined
}
