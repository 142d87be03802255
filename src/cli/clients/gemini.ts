/** The Gemini CLI: `settings.json` for the way to sign in, and the one file of variables it reads. */

import { existsSync } from "node:fs"
import { join, sep } from "node:path"

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { Client, ClientPlace, ClientView, Fact, Finding } from "./client.ts"
import { clientFolder, type FileReading, foldersUpwards, readClientFile, settingsChange } from "./client-files.ts"
import { ENV_FILE, variablesOf } from "./formats/env-file.ts"
import { JSONC } from "./formats/json.ts"

const KEY_NAME = "GEMINI_API_KEY"
const URL_NAME = "GOOGLE_GEMINI_BASE_URL"
const AUTH_TYPE = "gemini-api-key"

/** The client. */
export const GEMINI: Client = {
  name: "gemini",
  title: "Gemini CLI",
  view: viewGemini,
  setup: {
    files: place => [settingsFile(place), join(folderOf(place), ".env")],
    changes: async (place, { origin, key, model }) => [
      settingsChange(settingsFile(place), JSONC, [
        { path: ["security", "auth", "selectedType"], value: AUTH_TYPE },
        ...(model === undefined ? [] : [{ path: ["model", "name"], value: model }]),
      ]),
      settingsChange(join(folderOf(place), ".env"), ENV_FILE, [
        { path: [KEY_NAME], value: key },
        { path: [URL_NAME], value: origin },
      ]),
    ],
  },
}

function homeOf(place: ClientPlace): string {
  return clientFolder(place, "GEMINI_CLI_HOME")
}

function folderOf(place: ClientPlace): string {
  return join(homeOf(place), ".gemini")
}

function settingsFile(place: ClientPlace): string {
  return join(folderOf(place), "settings.json")
}

async function viewGemini(place: ClientPlace): Promise<ClientView> {
  const settings = await readClientFile(settingsFile(place), JSONC.read)
  const isTrusted = await trusts(place, settings.content)
  // Where the folder is not trusted yet, the view is what it would be then; a finding says so.
  const envPath = envFileOf(place)
  const envFile = envPath === undefined ? undefined : await readClientFile(envPath, ENV_FILE.read)
  // The environment counts before the file.
  const env = { ...variablesOf(envFile?.content ?? {}), ...place.env }
  const find = (name: string): Fact | undefined => {
    const value = env[name]
    if (value === undefined || value === "") return undefined
    if (place.env[name] !== undefined || envPath === undefined) return { value, where: `${name} in the environment` }
    return { value, where: `${envPath}: ${name}`, file: envPath }
  }
  const [baseUrl, key] = [find(URL_NAME), find(KEY_NAME)]
  const target = baseUrl?.file ?? (baseUrl === undefined ? join(folderOf(place), ".env") : "the environment")
  const model = stringAt(objectAt(settings.content, "model") ?? {}, "name")
  const named = { value: model ?? "gemini-2.5-pro", where: model === undefined ? "one of its own" : settings.path }
  return {
    files: [settings, envFile].flatMap(file => (file?.exists === true ? [file.path] : [])),
    isFound: settings.exists || baseUrl !== undefined,
    findings: [...settings.findings, ...trapsOf({ place, settings, envPath, isTrusted, find })],
    ...(baseUrl !== undefined && { baseUrl }),
    urlPaths: [""],
    ...(key !== undefined && { key }),
    keyHeader: "x-goog-api-key",
    models: [named],
    env,
    proxyVariables: ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"],
    remedies: {
      baseUrl: url => `in ${target}: ${URL_NAME}=${url}`,
      key: () => `in ${key?.file ?? target}: ${KEY_NAME}=…`,
      model: name => `in ${settings.path}: "model": { "name": "${name}" }`,
    },
  }
}

/** It reads one file only: the first on the way up, then the user's own. */
function envFileOf(place: ClientPlace): string | undefined {
  return [...foldersUpwards(place.cwd), homeOf(place)]
    .flatMap(folder => [join(folder, ".gemini", ".env"), join(folder, ".env")])
    .find(path => existsSync(path))
}

/** Where folder trust is on, a folder counts once it or one above it was said to be trusted. */
async function trusts(place: ClientPlace, settings: JsonObject): Promise<boolean> {
  if (objectAt(objectAt(settings, "security") ?? {}, "folderTrust")?.["enabled"] === false) return true
  if (place.env["GEMINI_CLI_TRUST_WORKSPACE"] === "true") return true
  const { content } = await readClientFile(join(folderOf(place), "trustedFolders.json"), JSONC.read)
  return Object.entries(content).some(([folder, level]) => {
    const root = level === "TRUST_PARENT" ? join(folder, "..") : folder
    return level !== "DO_NOT_TRUST" && `${place.cwd}${sep}`.startsWith(`${root}${sep}`)
  })
}

type Traps = {
  readonly place: ClientPlace
  readonly settings: FileReading
  readonly envPath: string | undefined
  readonly isTrusted: boolean
  readonly find: (name: string) => Fact | undefined
}

function trapsOf({ place, settings, envPath, isTrusted, find }: Traps): readonly Finding[] {
  const findings: Finding[] = []
  const own = join(folderOf(place), ".env")
  const auth = objectAt(objectAt(settings.content, "security") ?? {}, "auth") ?? {}
  const selected = stringAt(auth, "selectedType") ?? stringAt(settings.content, "selectedAuthType")
  const isMeant = find(URL_NAME) !== undefined || existsSync(own)
  if (isMeant && selected !== AUTH_TYPE) {
    const fix = `in ${settings.path}: "security": { "auth": { "selectedType": "${AUTH_TYPE}" } }`
    const said = selected === undefined ? "no way to sign in is chosen" : `the way to sign in is "${selected}"`
    findings.push({ status: "problem", text: `${said}; the key does not count`, fix })
  }
  if (!isTrusted && existsSync(own)) {
    const text = `the Gemini CLI does not trust ${place.cwd} yet; ${own} counts in trusted folders only`
    findings.push({ status: "note", text, fix: "answer its question with yes, or set GEMINI_CLI_TRUST_WORKSPACE=true" })
  }
  if (envPath !== undefined && envPath !== own && existsSync(own)) {
    const text = `${envPath} is read instead of ${own}: the Gemini CLI reads one such file only`
    const status = find(URL_NAME) === undefined ? "problem" : "note"
    findings.push({ status, text, fix: `put ${URL_NAME} and ${KEY_NAME} into ${envPath} as well` })
  }
  return findings
}
