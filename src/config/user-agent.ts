/** Fills in the template of the upstream `User-Agent`. */

import { arch, platform, release } from "node:os"

/** What the machine is called in the user agent. */
export type HostFacts = { readonly os: string; readonly osVersion: string; readonly arch: string }

/** What fills the template's placeholders besides {@link HostFacts}. */
export type AgentFacts = HostFacts & {
  readonly originator: string
  readonly clientVersion: string
  /** Sluice's own version. */
  readonly version: string
}

/** Returns what this machine is called. */
export function readHostFacts(): HostFacts {
  return { os: platform(), osVersion: release(), arch: arch() }
}

/** Returns the template with its placeholders filled; unknown ones stay (see {@link unknownPlaceholders}). */
export function fillUserAgent(template: string, facts: AgentFacts): string {
  const words = placeholdersOf(facts)
  return template.replaceAll(/\{([a-z-]+)\}/g, (whole, name: string) => words.get(name) ?? whole)
}

/** Returns the placeholders of a template that stand for nothing. */
export function unknownPlaceholders(template: string, facts: AgentFacts): readonly string[] {
  const words = placeholdersOf(facts)
  return [...template.matchAll(/\{([^{}]*)\}/g)].flatMap(match => (words.has(match[1] ?? "") ? [] : [match[0]]))
}

/** Names of all placeholders. */
function placeholdersOf(facts: AgentFacts): ReadonlyMap<string, string> {
  return new Map([
    ["originator", facts.originator],
    ["client-version", facts.clientVersion],
    ["os", facts.os],
    ["os-version", facts.osVersion],
    ["arch", facts.arch],
    ["version", facts.version],
  ])
}
