/** Claude Code: `settings.json`, whose variables count before those of the shell. */

import { join } from "node:path"

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { Client, ClientPlace, ClientView, Fact, Finding } from "./client.ts"
import { clientFolder, type FileReading, readClientFile, settingsChange } from "./client-files.ts"
import { variablesOf } from "./formats/env-file.ts"
import { PLAIN_JSON } from "./formats/json.ts"

const URL_NAME = "ANTHROPIC_BASE_URL"
const TOKEN_NAME = "ANTHROPIC_AUTH_TOKEN"
const KEY_NAME = "ANTHROPIC_API_KEY"
const WINDOW_NAME = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"

/** Tokens; what nearly every model has. */
const USUAL_WINDOW = "272000"

/** Names it uses besides the model that was picked. */
const MODEL_NAMES = [
  "ANTHROPIC_MODEL",
  "ANTHROPIC_DEFAULT_OPUS_MODEL",
  "ANTHROPIC_DEFAULT_SONNET_MODEL",
  "ANTHROPIC_DEFAULT_HAIKU_MODEL",
  "ANTHROPIC_SMALL_FAST_MODEL",
]

/** Switches that send it to somebody else, whatever the base URL says. */
const OTHER_ROADS = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"]

/** Words for the model that are no names. */
const MODEL_WORDS = /^(default|best|opus|sonnet|haiku|fable|opusplan|(opus|sonnet|haiku|fable)\[1m\])$/

/** The client. */
export const CLAUDE: Client = {
  name: "claude",
  title: "Claude Code",
  view: viewClaude,
  setup: {
    files: place => [userFile(place)],
    changes: async (place, { origin, key, model, windowTokens }) => {
      const path = userFile(place)
      const { content } = await readClientFile(path, PLAIN_JSON.read)
      const window = windowTokens === undefined ? (envOf(content)[WINDOW_NAME] ?? USUAL_WINDOW) : String(windowTokens)
      return [
        settingsChange(path, PLAIN_JSON, [
          ...(model === undefined ? [] : [{ path: ["model"], value: model }]),
          { path: ["env", URL_NAME], value: origin },
          { path: ["env", TOKEN_NAME], value: key },
          { path: ["env", WINDOW_NAME], value: window },
        ]),
      ]
    },
  },
}

function userFile(place: ClientPlace): string {
  return join(clientFolder(place, "CLAUDE_CONFIG_DIR", ".claude"), "settings.json")
}

async function viewClaude(place: ClientPlace): Promise<ClientView> {
  const user = userFile(place)
  const project = [".claude/settings.json", ".claude/settings.local.json"].map(name => join(place.cwd, name))
  const paths = [user, ...project.filter(path => path !== user)]
  const files = await Promise.all(paths.map(path => readClientFile(path, PLAIN_JSON.read)))
  const env = Object.assign({}, place.env, ...files.map(file => envOf(file.content)))
  const find = (name: string): Fact | undefined => {
    const value = env[name]
    if (typeof value !== "string" || value === "") return undefined
    const file = files.findLast(({ content }) => envOf(content)[name] !== undefined)
    if (file === undefined) return { value, where: `${name} in the environment` }
    return { value, where: `${file.path}: env.${name}`, file: file.path }
  }
  const token = find(TOKEN_NAME)
  const key = token ?? find(KEY_NAME)
  const baseUrl = find(URL_NAME)
  // A project's file counts before the user's own, so what is wrong in it has to change there.
  const target = baseUrl?.file ?? user
  return {
    files: files.flatMap(({ path, exists }) => (exists ? [path] : [])),
    isFound: files[0]?.exists === true || baseUrl !== undefined,
    findings: [...files.flatMap(file => file.findings), ...trapsOf(files, find)],
    ...(baseUrl !== undefined && { baseUrl }),
    urlPaths: [""],
    ...(key !== undefined && { key }),
    keyHeader: token === undefined ? "x-api-key" : "authorization",
    models: modelsOf(files, find),
    env,
    proxyVariables: ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    remedies: {
      baseUrl: url => `in ${target}: "env": { "${URL_NAME}": "${url}" }`,
      key: () => `in ${target}: "env": { "${TOKEN_NAME}": "…" }`,
      model: name => `in ${target}: "model": "${name}"`,
    },
  }
}

function envOf(settings: JsonObject): Readonly<Record<string, string>> {
  return variablesOf(objectAt(settings, "env") ?? {})
}

function modelsOf(files: readonly FileReading[], find: (name: string) => Fact | undefined): readonly Fact[] {
  const named = files.findLast(({ content }) => stringAt(content, "model") !== undefined)
  const picked = named === undefined ? undefined : stringAt(named.content, "model")
  const facts = MODEL_NAMES.flatMap(name => find(name) ?? [])
  const first = picked === undefined ? [] : [{ value: picked, where: `${named?.path}: model` }]
  const all = [...first, ...facts].filter(({ value }) => !MODEL_WORDS.test(value))
  return all.length > 0 ? all : [{ value: "claude-opus-5-5", where: "its own default" }]
}

function trapsOf(files: readonly FileReading[], find: (name: string) => Fact | undefined): readonly Finding[] {
  const findings: Finding[] = []
  const [token, key, baseUrl] = [find(TOKEN_NAME), find(KEY_NAME), find(URL_NAME)]
  for (const road of OTHER_ROADS) {
    const fact = find(road)
    if (fact === undefined || /^(0|false)$/i.test(fact.value)) continue
    const fix = `remove it: ${fact.where}`
    findings.push({ status: "problem", text: `${road} is set, so the base URL does not count`, fix })
  }
  if (baseUrl === undefined) return findings
  if (token !== undefined && key !== undefined) {
    const text = `${KEY_NAME} is set beside ${TOKEN_NAME}; both are sent to the gateway, and Claude Code warns of it`
    findings.push({ status: "note", text, fix: `remove the one you do not need: ${key.where}` })
  } else if (key !== undefined) {
    const text = `${KEY_NAME} counts only after Claude Code has asked once whether to use it`
    findings.push({ status: "note", text, fix: `use ${TOKEN_NAME} instead: it is taken as it is` })
  }
  const helper = files.find(({ content }) => stringAt(content, "apiKeyHelper") !== undefined)
  if (helper !== undefined && token === undefined) {
    const text = "apiKeyHelper gets the key from a program; which one it gives cannot be checked here"
    findings.push({ status: "note", text, fix: `remove apiKeyHelper from ${helper.path} if ${TOKEN_NAME} is to count` })
  }
  if (find(WINDOW_NAME) === undefined) {
    const text = `${WINDOW_NAME} is not set: models with other names are taken for a million tokens wide`
    findings.push({ status: "note", text, fix: `set it to the window, e.g. 272000, or run \`sluice setup claude\`` })
  }
  return findings
}
