/** Checks one client's own configuration against the gateway that runs. */

import type { AskedGateway } from "#cli/clients/ask-gateway.ts"
import type { ClientView, Fact, Finding } from "#cli/clients/client.ts"
import { isSameOrigin } from "#cli/clients/gateway-address.ts"
import { nearestNames } from "#gateway/models/nearest-names.ts"

import { checkBaseUrl, checkProxies } from "./check-address.ts"

/** Returns everything found, in the order in which a request would meet it. Nobody but the gateway is asked. */
export async function checkClient(view: ClientView, gateway: AskedGateway, isUp: boolean): Promise<readonly Finding[]> {
  const address = checkBaseUrl(view, gateway.origin)
  const proxies = checkProxies(view, gateway.origin)
  const findings = [...view.findings, address, ...(proxies === undefined ? [] : [proxies])]
  // With another address the key belongs to somebody else and is not sent here.
  if (!isUp || (address.status === "problem" && !leadsToGateway(view, gateway.origin))) return findings
  const key = await checkKey(view, gateway)
  return [...findings, ...key.findings, ...(await checkModels(view, gateway, key))]
}

function leadsToGateway({ baseUrl }: ClientView, origin: string): boolean {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl.value)
  return url !== null && isSameOrigin(url, new URL(origin))
}

type CheckedKey = {
  readonly findings: readonly Finding[]
  /** Names the gateway lists; empty as long as no key was accepted. */
  readonly names: readonly string[]
  readonly isAccepted: boolean
}

async function checkKey({ key, keyHeader, remedies }: ClientView, gateway: AskedGateway): Promise<CheckedKey> {
  const wrong = (text: string): CheckedKey => ({
    findings: [{ status: "problem", text, fix: `${remedies.key("")}, one of the gateway's api-keys` }],
    names: [],
    isAccepted: false,
  })
  if (key !== undefined && !/^[!-~]+$/.test(key.value)) {
    return wrong(`the key has characters that no request can carry, a blank perhaps (${key.where})`)
  }
  const answer = await gateway.tryKey(key?.value, keyHeader)
  switch (answer.type) {
    case "accepted": {
      const said = key === undefined ? "no key is set, and the gateway asks for none" : `the key works (${key.where})`
      return { findings: [{ status: "ok", text: said }], names: answer.models, isAccepted: true }
    }
    case "refused":
      return wrong(key === undefined ? "no key is set" : `the gateway does not know the key (${key.where})`)
    case "failed":
      return {
        findings: [{ status: "problem", text: answer.reason, fix: "look at the gateway's log" }],
        names: [],
        isAccepted: false,
      }
  }
}

async function checkModels(
  { models, key, remedies }: ClientView,
  gateway: AskedGateway,
  { names, isAccepted }: CheckedKey,
): Promise<readonly Finding[]> {
  if (!isAccepted) return []
  return Promise.all(models.map(model => checkModel(model)))

  async function checkModel({ value, where }: Fact): Promise<Finding> {
    if (await gateway.serves(value, key?.value)) return { status: "ok", text: `model ${value} is served (${where})` }
    const near = nearestNames(value, names)
    const said = near.length === 0 ? "" : `; near to it: ${near.join(", ")}`
    const fix = remedies.model(near[0] ?? names[0] ?? "a model of GET /v1/models")
    return { status: "problem", text: `the model ${value} is not served${said} (${where})`, fix }
  }
}
