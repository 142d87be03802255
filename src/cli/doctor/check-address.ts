/** Checks what can be told of a client's address and proxies without asking anybody. */

import type { ClientView, Finding } from "#cli/clients/client.ts"
import { isSameOrigin } from "#cli/clients/gateway-address.ts"
import { isLoopbackName } from "#http/admission.ts"

/** Judges the base URL. `origin` is the gateway's; a client that leads elsewhere is not asked any further. */
export function checkBaseUrl(view: ClientView, origin: string): Finding {
  const wanted = `${origin}${view.urlPaths[0] ?? ""}`
  const fix = view.remedies.baseUrl(wanted)
  if (view.baseUrl === undefined) {
    return { status: "problem", text: "no base URL is set, so it does not use the gateway", fix }
  }
  const { value, where } = view.baseUrl
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { status: "problem", text: `the base URL is no http address (${where})`, fix }
  }
  const gateway = new URL(origin)
  const shown = `${url.origin}${url.pathname === "/" ? "" : url.pathname}`
  if (!isSameOrigin(url, gateway)) {
    return {
      status: "problem",
      text: `the base URL leads to ${shown}, not to the gateway at ${origin} (${where})`,
      fix,
    }
  }
  if (url.search !== "" || url.hash !== "") {
    const text = `the base URL ends with "${url.search}${url.hash}", which the client would put in the middle of its addresses (${where})`
    return { status: "problem", text, fix }
  }
  const base = gateway.pathname.replace(/\/$/, "")
  const path = url.pathname.replace(/\/$/, "")
  if (view.urlPaths.some(ending => path === base + ending))
    return { status: "ok", text: `base URL ${shown} (${where})` }
  return { status: "problem", text: pathProblem(path, base + (view.urlPaths[0] ?? ""), where), fix }
}

function pathProblem(path: string, wanted: string, where: string): string {
  if (path.startsWith(`${wanted}/`) && wanted === "") {
    return `the base URL ends with "${path}"; this client adds the version itself (${where})`
  }
  return `the base URL ends with "${path === "" ? "/" : path}", expected "${wanted === "" ? "nothing" : wanted}" (${where})`
}

/** Finds the proxy variable that would take requests away from the gateway; undefined when none does. */
export function checkProxies({ env, proxyVariables }: ClientView, origin: string): Finding | undefined {
  const { protocol, hostname: host, port } = new URL(origin)
  const forHttps = ["HTTPS_PROXY", "https_proxy", ...proxyVariables.filter(name => /^all_/i.test(name))]
  const name = (protocol === "http:" ? proxyVariables : forHttps).find(one => (env[one] ?? "") !== "")
  if (name === undefined) return undefined
  if ([env["NO_PROXY"], env["no_proxy"]].some(list => covers(list ?? "", host, port))) return undefined
  const known = env["NO_PROXY"] ?? env["no_proxy"] ?? ""
  return {
    // The way to another machine may well lead through a proxy; the way to this one never does.
    status: isLoopbackName(host) ? "problem" : "note",
    text: `${name} is set and NO_PROXY does not name ${host}, so requests to the gateway go to that proxy`,
    fix: `export NO_PROXY=${known === "" ? host : `${known},${host}`}`,
  }
}

/** The forms all clients understand: a name, its subdomains, with a port, and everything. */
function covers(list: string, host: string, port: string): boolean {
  return list.split(/[,\s]+/).some(entry => {
    const bare = entry.replace(/^\*?\./, "")
    if (entry === "*") return true
    return bare !== "" && (bare === host || bare === `${host}:${port}` || host.endsWith(`.${bare}`))
  })
}
