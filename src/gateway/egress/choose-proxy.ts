/** Which proxy of the pool an account gets: the one that ranks highest for it, whatever else there is. */

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every pair of account and proxy has a rank of its own, so that a proxy
 * that comes or goes concerns only the accounts it ranks highest for. Undefined without proxies.
 */
export function chooseProxy(accountId: string, proxyIds: Iterable<string>): string | undefined {
  let chosen: { readonly id: string; readonly rank: bigint } | undefined
  for (const id of proxyIds) {
    const rank = Bun.hash.wyhash(`${accountId}\u0001${id}`)
    const isHigher = chosen === undefined || rank > chosen.rank || (rank === chosen.rank && id > chosen.id)
    if (isHigher) chosen = { id, rank }
  }
  return chosen?.id
}
