/** Continue: an entry in the list of models of `config.yaml`. */

import { join } from "node:path"

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import type { Client, ClientPlace, ClientView, Fact, FileChange, Finding, GatewayWish } from "./client.ts"
import { clientFolder, type FileReading, readClientFile } from "./client-files.ts"
import { type ListEntry, putEntry, readYaml, withEntry } from "./formats/yaml-list.ts"

const ENTRY_NAME = "Sluice"
const LIST = "models"
const HEAD = "name: Local Assistant\nversion: 1.0.0\nschema: v1\n"

/** Endings of the base URL by provider. */
const URL_PATHS: Readonly<Record<string, readonly string[]>> = {
  openai: ["/v1", ""],
  anthropic: ["/v1", ""],
  ollama: ["", "/v1"],
}

/** The client. */
export const CONTINUE: Client = {
  name: "continue",
  title: "Continue",
  view: viewContinue,
  setup: {
    files: place => [configFile(place)],
    defaultModel: "gpt-5.5",
    changes: async (place, wish) => [entryChange(configFile(place), wish)],
    model: async place => {
      const { content } = await readClientFile(configFile(place), readYaml)
      const entry = entriesOf(content).find(isOurs)
      return entry === undefined ? undefined : stringAt(entry, "model")
    },
  },
}

function configFile(place: ClientPlace): string {
  return join(clientFolder(place, "CONTINUE_GLOBAL_DIR", ".continue"), "config.yaml")
}

/** The first entry is the one Continue begins with. A new file gets the head it insists on. */
function entryChange(path: string, { origin, key, model = "gpt-5.5" }: GatewayWish): FileChange {
  const entry: ListEntry["entry"] = {
    name: ENTRY_NAME,
    provider: "openai",
    model,
    apiBase: `${origin}/v1`,
    apiKey: key,
    roles: ["chat", "edit", "apply"],
    capabilities: ["tool_use", "image_input"],
  }
  const headed = (text: string) => (text.trim() === "" ? HEAD : text)
  return {
    path,
    read: readYaml,
    edit: text => putEntry(headed(text), { list: LIST, entry }),
    expect: before => {
      const start = Object.keys(before).length === 0 ? readYaml(HEAD) : before
      return withEntry(start, { list: LIST, entry })
    },
  }
}

function entriesOf(content: JsonObject): readonly JsonObject[] {
  return (arrayAt(content, LIST) ?? []).filter(isJsonObject)
}

/** The entry a setup has made, else the one Continue begins with: the first that may chat. */
function chosenEntry({ content }: FileReading): JsonObject | undefined {
  const entries = entriesOf(content)
  return entries.find(isOurs) ?? entries.find(entry => arrayAt(entry, "roles")?.includes("chat") ?? true)
}

function isOurs(entry: JsonObject): boolean {
  return stringAt(entry, "name") === ENTRY_NAME
}

async function viewContinue(place: ClientPlace): Promise<ClientView> {
  const config = await readClientFile(configFile(place), readYaml)
  const entry = chosenEntry(config)
  const fact = (name: string): Fact | undefined => {
    const value = entry === undefined ? undefined : stringAt(entry, name)
    return value === undefined ? undefined : { value, where: `${config.path}: ${name}`, file: config.path }
  }
  const provider = fact("provider")?.value ?? ""
  const [baseUrl, key, model] = [fact("apiBase"), fact("apiKey"), fact("model")]
  const isSecret = key?.value.startsWith("${{") === true
  const name = entry === undefined ? undefined : stringAt(entry, "name")
  const at = `in ${config.path}, ${name === undefined ? "models" : `the entry "${name}" of models`}`
  return {
    files: config.exists ? [config.path] : [],
    isFound: config.exists,
    findings: [...config.findings, ...trapsOf(config, provider, isSecret)],
    ...(baseUrl !== undefined && { baseUrl }),
    urlPaths: URL_PATHS[provider] ?? ["/v1", ""],
    ...(key !== undefined && !isSecret && { key }),
    keyHeader: provider === "anthropic" ? "x-api-key" : "authorization",
    models: model === undefined ? [] : [model],
    env: place.env,
    proxyVariables: ["HTTP_PROXY", "http_proxy"],
    remedies: {
      baseUrl: url => `${at}: apiBase: ${url}`,
      key: () => `${at}: apiKey: …`,
      model: wanted => `${at}: model: ${wanted}`,
    },
  }
}

function trapsOf({ path, exists, content }: FileReading, provider: string, isSecret: boolean): readonly Finding[] {
  if (!exists) return []
  const findings: Finding[] = []
  if (entriesOf(content).length === 0) {
    findings.push({ status: "note", text: `${path} lists no models`, fix: "run `sluice setup continue`" })
  }
  const position = entriesOf(content).findIndex(isOurs)
  if (position > 0) {
    const text = `the entry "${ENTRY_NAME}" is number ${position + 1} of models; Continue begins with the first`
    findings.push({ status: "note", text, fix: `move it to the head of models in ${path}, or choose it in Continue` })
  }
  if (provider === "gemini") {
    const fix = `in ${path}, under models: provider: openai`
    findings.push({ status: "problem", text: "Continue ignores apiBase for the provider gemini", fix })
  }
  if (isSecret) findings.push({ status: "note", text: "apiKey is kept as a secret elsewhere and was not tried" })
  return findings
}
