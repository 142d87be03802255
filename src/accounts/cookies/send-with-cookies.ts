/** Sends each account's cookies along with its requests, and takes over what the answers set. */

import type { SendUpstream, UpstreamRequest } from "#core/upstream.ts"

import type { CookieBook } from "./cookie-book.ts"

function withCookies(request: UpstreamRequest, header: string | undefined): UpstreamRequest {
  return header === undefined ? request : { ...request, headers: { ...request.headers, cookie: header } }
}

/** Wraps a sender. Requests of no account, and of accounts without a jar, pass as they are. */
export function sendWithCookies(send: SendUpstream, cookies: CookieBook): SendUpstream {
  return async (request, signal) => {
    const { account, url } = request
    if (account === undefined || !cookies.has(account)) return send(request, signal)
    const reply = await send(withCookies(request, cookies.headerFor(account, url)), signal)
    const set = reply.headers.getSetCookie()
    if (set.length > 0) cookies.take(account, url, set)
    return reply
  }
}
