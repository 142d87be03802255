/** opencode: the user's `opencode.json` or `.jsonc`, with a project's file laid over it. */

import { existsSync } from "node:fs"
import { join } from "node:path"

import { isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { Client, ClientPlace, ClientView, Fact, Finding } from "./client.ts"
import { clientFolder, type FileReading, foldersUpwards, readClientFile, settingsChange } from "./client-files.ts"
import type { Setting } from "./formats/format.ts"
import { JSONC } from "./formats/json.ts"

const PROVIDER = "sluice"
const SCHEMA = "https://opencode.ai/config.json"
const OUTPUT_TOKENS = 32_000
const USUAL_WINDOW_TOKENS = 272_000

/** In the order in which opencode lays them over each other. */
const USER_NAMES = ["config.json", "opencode.json", "opencode.jsonc"]

/** Packages that go with a base URL ending in `/v1`: one speaks Chat, the other Responses. */
const CHAT_PACKAGES = ["@ai-sdk/openai-compatible", "@ai-sdk/openai"]

/** Which endings of the base URL fit a package; those of the Chat API where it is not named. */
const URL_PATHS: Readonly<Record<string, readonly string[]>> = { "@ai-sdk/google": ["/v1beta", "/v1"] }

/** The client. */
export const OPENCODE: Client = {
  name: "opencode",
  title: "opencode",
  view: viewOpencode,
  setup: {
    files: place => USER_NAMES.map(name => join(folderOf(place), name)),
    defaultModel: "gpt-5.5",
    changes: async (place, { origin, key, model = "gpt-5.5", windowTokens }) => {
      const path = userFile(place)
      const provider = ["provider", PROVIDER]
      const present = providersOf((await readClientFile(path, JSONC.read)).content)[PROVIDER] ?? {}
      const isChosen = CHAT_PACKAGES.includes(stringAt(present, "npm") ?? "")
      const entry = {
        name: model,
        tool_call: true,
        limit: { context: windowTokens ?? USUAL_WINDOW_TOKENS, output: OUTPUT_TOKENS },
      }
      const settings: readonly Setting[] = [
        ...(existsSync(path) ? [] : [{ path: ["$schema"], value: SCHEMA }]),
        { path: ["model"], value: `${PROVIDER}/${model}` },
        ...(isChosen ? [] : [{ path: [...provider, "npm"], value: "@ai-sdk/openai-compatible" }]),
        { path: [...provider, "name"], value: "Sluice" },
        { path: [...provider, "options", "baseURL"], value: `${origin}/v1` },
        { path: [...provider, "options", "apiKey"], value: key },
        // Limits somebody has chosen for a model stay.
        ...(objectAt(present, "models")?.[model] === undefined
          ? [{ path: [...provider, "models", model], value: entry }]
          : []),
      ]
      return [settingsChange(path, JSONC, settings)]
    },
    model: async place => {
      const { content } = await readClientFile(userFile(place), JSONC.read)
      const [provider, ...name] = (stringAt(content, "model") ?? "").split("/")
      return provider === PROVIDER ? name.join("/") : undefined
    },
  },
}

function folderOf(place: ClientPlace): string {
  return join(clientFolder(place, "XDG_CONFIG_HOME", ".config"), "opencode")
}

/** The one that counts most of those that exist. */
function userFile(place: ClientPlace): string {
  const paths = USER_NAMES.map(name => join(folderOf(place), name))
  return paths.findLast(path => existsSync(path)) ?? join(folderOf(place), "opencode.json")
}

function projectFiles(place: ClientPlace): readonly string[] {
  const named = place.homeGiven ? undefined : place.env["OPENCODE_CONFIG"]
  const found = foldersUpwards(place.cwd)
    .flatMap(folder => ["opencode.json", "opencode.jsonc"].map(name => join(folder, name)))
    .filter(path => existsSync(path))
  return [...(named === undefined || named === "" ? [] : [named]), ...found.slice(0, 1)]
}

async function viewOpencode(place: ClientPlace): Promise<ClientView> {
  const paths = [...USER_NAMES.map(name => join(folderOf(place), name)), ...projectFiles(place)]
  const files = (await Promise.all(paths.map(path => readClientFile(path, JSONC.read)))).filter(file => file.exists)
  const model = lastFact(files, content => stringAt(content, "model"))
  const [providerName = "", ...rest] = (model?.value ?? "").split("/")
  const at = (read: (provider: JsonObject) => string | undefined) =>
    lastFact(files, content => read(providersOf(content)[providerName] ?? {}))
  const baseUrl = at(provider => stringAt(objectAt(provider, "options") ?? {}, "baseURL"))
  const written = at(provider => stringAt(objectAt(provider, "options") ?? {}, "apiKey"))
  const npm = at(provider => stringAt(provider, "npm"))
  const key = written === undefined ? undefined : resolved(written, place.env)
  const target = baseUrl?.file ?? userFile(place)
  const name = rest.join("/")
  const listed = files.some(
    ({ content }) => objectAt(providersOf(content)[providerName] ?? {}, "models")?.[name] !== undefined,
  )
  const isKnown = baseUrl === undefined || name === "" || listed
  const unlisted: Finding = {
    status: "problem",
    text: `the model ${name} is chosen but not listed under provider.${providerName}.models`,
    fix: `in ${target}: "provider": { "${providerName}": { "models": { "${name}": {} } } }`,
  }
  return {
    files: files.map(file => file.path),
    isFound: files.length > 0,
    findings: [
      ...files.flatMap(file => file.findings),
      ...prefixFindings(files, model),
      ...(isKnown ? [] : [unlisted]),
    ],
    ...(baseUrl !== undefined && { baseUrl }),
    urlPaths: URL_PATHS[npm?.value ?? ""] ?? ["/v1", ""],
    ...(key !== undefined && { key }),
    keyHeader: npm?.value === "@ai-sdk/google" ? "x-goog-api-key" : "authorization",
    models: model === undefined || name === "" ? [] : [{ ...model, value: name }],
    env: place.env,
    proxyVariables: ["HTTP_PROXY", "http_proxy"],
    remedies: {
      baseUrl: url =>
        `in ${target}: "provider": { "${providerName || PROVIDER}": { "options": { "baseURL": "${url}" } } }`,
      key: () => `in ${target}: "provider": { "${providerName || PROVIDER}": { "options": { "apiKey": "…" } } }`,
      model: wanted =>
        `in ${target}: "model": "${providerName || PROVIDER}/${wanted}", and the same name under "models"`,
    },
  }
}

function providersOf(content: JsonObject): Readonly<Record<string, JsonObject>> {
  const providers = Object.entries(objectAt(content, "provider") ?? {})
  return Object.fromEntries(providers.flatMap(([name, value]) => (isJsonObject(value) ? [[name, value]] : [])))
}

function lastFact(files: readonly FileReading[], read: (content: JsonObject) => string | undefined): Fact | undefined {
  const file = files.findLast(({ content }) => read(content) !== undefined)
  const value = file === undefined ? undefined : read(file.content)
  return file === undefined || value === undefined ? undefined : { value, where: file.path, file: file.path }
}

/** `{env:NAME}` stands for a variable. Files it may name are not opened. */
function resolved(fact: Fact, env: ClientPlace["env"]): Fact | undefined {
  const [, variable] = /^\{env:([^}]+)\}$/.exec(fact.value) ?? []
  if (variable === undefined) return fact
  const value = env[variable]
  return value === undefined || value === "" ? undefined : { value, where: `${variable} in the environment` }
}

function prefixFindings(files: readonly FileReading[], model: Fact | undefined): readonly Finding[] {
  const own = files.flatMap(({ content }) => Object.keys(providersOf(content)))
  if (model === undefined || model.value.includes("/")) return []
  const prefix = own[0] ?? PROVIDER
  const fix = `in ${model.where}: "model": "${prefix}/${model.value}"`
  return [{ status: "problem", text: `the model "${model.value}" names no provider`, fix }]
}
