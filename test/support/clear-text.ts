/** Finds secrets that stand in clear where they must not: in a data folder, in a log, in the body of an answer. */

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"

/** One place that holds a secret. Nothing of the secret itself is in it but its first characters. */
export type Finding = {
  readonly where: string
  readonly offset: number
  readonly secret: string
  readonly writtenAs: "text" | "base64" | "hex"
}

/** A search for all secrets at once. */
export type SecretSearch = {
  /** Adds secrets; those it has already are passed over. */
  readonly add: (secrets: Iterable<string>) => void
  /** Number of secrets it looks for. */
  readonly size: () => number
  /** At most a few findings for one place: one is too many. */
  readonly inText: (where: string, text: string) => readonly Finding[]
  /** Every file below the folder, by name and by content. `isExempt` gets the path relative to the folder. */
  readonly inFolder: (folder: string, isExempt?: (path: string) => boolean) => readonly Finding[]
}

/** A secret that was cut into is still found when this many characters in a row are left, twice over. */
const BLOCK = 16

/** Findings listed for one place. */
const MAX_FINDINGS = 3

type Needle = Pick<Finding, "secret" | "writtenAs">

/** True for characters that secrets and their encodings are made of; SQLite's and the log's own bytes break a run. */
const IS_SECRET_CODE: readonly boolean[] = Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9_\-+/=.~]/.test(String.fromCharCode(code)),
)

function blocksOf(text: string): readonly string[] {
  const whole = Math.floor(text.length / BLOCK)
  return Array.from({ length: whole }, (_, index) => text.slice(index * BLOCK, (index + 1) * BLOCK))
}

/** The parts that make a secret one: of a signed token the payload and the signature, not the header that all share. */
function partsOf(secret: string): readonly string[] {
  const parts = secret.split(".")
  return parts.length === 3 && secret.startsWith("eyJ") ? parts.slice(1) : [secret]
}

/** A stretch from the middle; an encoding of the whole secret contains it whatever stands before. */
function middleOf(encoded: string): string {
  const from = Math.max(0, Math.floor(encoded.length / 2) - BLOCK / 2)
  return encoded.slice(from, from + BLOCK)
}

function encodedForms(secret: string): readonly (readonly [string, Needle["writtenAs"]])[] {
  const bytes = Buffer.from(secret)
  // Base64 works in groups of three bytes: where the secret begins within a group decides how it looks.
  const aligned = [0, 1, 2].map(skipped => bytes.subarray(skipped))
  const base64 = aligned.flatMap(part => [part.toString("base64"), part.toString("base64url")])
  const hex = bytes.toString("hex")
  return [
    ...base64.map(text => [middleOf(text), "base64"] as const),
    ...[hex, hex.toUpperCase()].map(text => [middleOf(text), "hex"] as const),
  ]
}

/** Makes a search for nothing. */
export function makeSecretSearch(): SecretSearch {
  const known = new Set<string>()
  const needles = new Map<string, Needle>()

  const add = (secret: string): void => {
    if (known.has(secret)) return
    if (secret.length < BLOCK) throw new Error("a secret this short would be found in innocent text")
    known.add(secret)
    const shown = `${secret.slice(0, 6)}…`
    for (const part of partsOf(secret)) {
      for (const block of blocksOf(part)) needles.set(block, { secret: shown, writtenAs: "text" })
    }
    for (const [form, writtenAs] of encodedForms(secret)) needles.set(form, { secret: shown, writtenAs })
  }
  const search = (where: string, text: string): readonly Finding[] => {
    const findings: Finding[] = []
    let run = 0
    for (let at = 0; at < text.length && findings.length < MAX_FINDINGS; at += 1) {
      run = IS_SECRET_CODE[text.charCodeAt(at)] === true ? run + 1 : 0
      if (run < BLOCK) continue
      const offset = at + 1 - BLOCK
      const needle = needles.get(text.slice(offset, at + 1))
      if (needle !== undefined) findings.push({ where, offset, ...needle })
    }
    return findings
  }
  return {
    add: secrets => {
      for (const secret of secrets) add(secret)
    },
    size: () => known.size,
    inText: search,
    inFolder: (folder, isExempt = () => false) =>
      listFiles(folder).flatMap(path => {
        const name = relative(folder, path)
        if (isExempt(name)) return []
        // One character a byte: what is searched for is ASCII.
        return [...search(`the name of ${name}`, name), ...search(name, readFileSync(path, "latin1"))]
      }),
  }
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

/** Throws when anything was found, naming places and never secrets. */
export function refuseFindings(findings: readonly Finding[]): void {
  if (findings.length === 0) return
  const lines = findings.map(
    ({ where, offset, secret, writtenAs }) => `${where}, byte ${offset}: ${secret} as ${writtenAs}`,
  )
  throw new Error(`secrets stand in clear:\n  ${lines.slice(0, 10).join("\n  ")}`)
}

/** What a gateway leaves when a test ends. */
export type LeftBehind = {
  /** Everything secret that it has met: tokens, client keys. */
  readonly secrets: Iterable<string>
  /** What it printed. */
  readonly outputs: readonly string[]
  /** Bodies of its answers. */
  readonly bodies: readonly string[]
  /** Holds `data/`, and perhaps `auths/` and `sluice.yaml`; what a crash dumps lies here too, if it dumps anything. */
  readonly folder: string
}

/**
 * Account files hold tokens and the settings hold keys, because that is what they are for, those of other programs
 * (`.codex`, `.config/codex-proxy`) and the lists that are imported and exported included; the master key has its own file.
 */
function isMeantForSecrets(path: string): boolean {
  return /^(auths\/|sluice\.yaml$|data\/master\.key|lists\/|\.codex\/|\.config\/codex-proxy\/)/.test(path)
}

/** The master key as its file has it; it belongs nowhere else. */
function masterKeyIn(folder: string): readonly string[] {
  const path = join(folder, "data", "master.key")
  return existsSync(path) ? [readFileSync(path, "utf8").trim()] : []
}

/** Finds secrets in clear in everything a gateway leaves behind. */
export function searchLeftBehind(search: SecretSearch, left: LeftBehind): readonly Finding[] {
  search.add(left.secrets)
  search.add(masterKeyIn(left.folder))
  return [
    ...search.inFolder(left.folder, isMeantForSecrets),
    ...left.outputs.flatMap(output => search.inText("the log", output)),
    ...left.bodies.flatMap(body => search.inText("an answer", body)),
  ]
}

/** Throws when a secret stands in clear in what a gateway leaves behind; call it before the folder is removed. */
export function refuseClearSecrets(left: LeftBehind): void {
  refuseFindings(searchLeftBehind(makeSecretSearch(), left))
}
