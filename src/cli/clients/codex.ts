/** The Codex CLI: `config.toml`, its own `.env`, and the ways to name a provider. */

import { join } from "node:path"

import { type JsonObject, stringAt } from "#core/json.ts"

import type { Client, ClientPlace, ClientView, Fact, Finding } from "./client.ts"
import { clientFolder, type FileReading, readClientFile, settingsChange } from "./client-files.ts"
import { ENV_FILE, variablesOf } from "./formats/env-file.ts"
import { JSONC } from "./formats/json.ts"
import { TOML, tableAt } from "./formats/toml.ts"

const KEY_VARIABLE = "SLUICE_KEY"
const PROVIDER = "sluice"

/** The client. */
export const CODEX: Client = {
  name: "codex",
  title: "Codex CLI",
  view: viewCodex,
  setup: {
    files: place => [filesOf(place).config, filesOf(place).env],
    defaultModel: "gpt-5.5",
    changes: async (place, { origin, key, model }) => {
      const provider = ["model_providers", PROVIDER]
      const files = filesOf(place)
      return [
        settingsChange(files.config, TOML, [
          ...(model === undefined ? [] : [{ path: ["model"], value: model }]),
          { path: ["model_provider"], value: PROVIDER },
          { path: [...provider, "name"], value: "Sluice" },
          { path: [...provider, "base_url"], value: `${origin}/v1` },
          { path: [...provider, "env_key"], value: KEY_VARIABLE },
          { path: [...provider, "wire_api"], value: "responses" },
        ]),
        // Its own file of variables keeps the key out of a configuration that people publish with their dotfiles.
        settingsChange(files.env, ENV_FILE, [{ path: [KEY_VARIABLE], value: key }]),
      ]
    },
    model: async place => {
      const { content } = await readClientFile(filesOf(place).config, TOML.read)
      return stringAt(content, "model_provider") === PROVIDER ? stringAt(content, "model") : undefined
    },
  },
}

function filesOf(place: ClientPlace) {
  const folder = clientFolder(place, "CODEX_HOME", ".codex")
  return { config: join(folder, "config.toml"), env: join(folder, ".env"), login: join(folder, "auth.json") }
}

async function viewCodex(place: ClientPlace): Promise<ClientView> {
  const files = filesOf(place)
  const [config, envFile, login] = await Promise.all([
    readClientFile(files.config, TOML.read),
    readClientFile(files.env, ENV_FILE.read),
    readClientFile(files.login, JSONC.read),
  ])
  // It lays its file over the environment, except for names of its own.
  const own = Object.entries(variablesOf(envFile.content)).filter(([name]) => !name.startsWith("CODEX_"))
  const env = { ...place.env, ...Object.fromEntries(own) }
  const choice = choose(config)
  const key = keyOf({ config, envFile, login, env }, choice)
  const model = choice.model
  return {
    files: [config, envFile].flatMap(({ path, exists }) => (exists ? [path] : [])),
    isFound: config.exists || login.exists,
    findings: [...config.findings, ...trapsOf(config, choice, env)],
    ...(choice.baseUrl !== undefined && { baseUrl: choice.baseUrl }),
    urlPaths: ["/v1", "", "/backend-api/codex"],
    ...(key !== undefined && { key }),
    keyHeader: "authorization",
    models: model === undefined ? [] : [model],
    env,
    proxyVariables: ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    remedies: {
      baseUrl: url => urlRemedy(config, choice, url),
      key: () =>
        choice.envKey === undefined
          ? `in ${files.config}, [model_providers.${choice.provider}]: env_key = "${KEY_VARIABLE}", and the key in ${files.env}`
          : `put the key into ${files.env}: ${choice.envKey}=…`,
      model: name => `in ${files.config}: model = "${name}"`,
    },
  }
}

/** What the configuration chooses. */
type Choice = {
  readonly provider: string
  /** Where the provider is chosen. */
  readonly chosenAt: string
  readonly table: JsonObject | undefined
  readonly baseUrl: Fact | undefined
  readonly envKey: string | undefined
  readonly model: Fact | undefined
}

/** A profile's words count before those at the top. */
function choose({ path, content }: FileReading): Choice {
  const profile = stringAt(content, "profile")
  const inProfile = profile === undefined ? undefined : tableAt(content, "profiles", profile)
  const pick = (name: string): Fact | undefined => {
    const value = inProfile === undefined ? undefined : stringAt(inProfile, name)
    if (value !== undefined) return { value, where: `${path}: [profiles.${profile}]` }
    const top = stringAt(content, name)
    return top === undefined ? undefined : { value: top, where: `${path}: ${name}` }
  }
  const chosen = pick("model_provider")
  const provider = chosen?.value ?? "openai"
  const table = tableAt(content, "model_providers", provider)
  const url = table === undefined ? undefined : stringAt(table, "base_url")
  const ownUrl = provider === "openai" ? pick("openai_base_url") : undefined
  return {
    provider,
    chosenAt: chosen?.where ?? path,
    table,
    baseUrl: url === undefined ? ownUrl : { value: url, where: `${path}: [model_providers.${provider}]` },
    envKey: table === undefined ? undefined : stringAt(table, "env_key"),
    model: pick("model"),
  }
}

/** Where the gateway's provider is defined already, choosing it is enough. */
function urlRemedy({ path, content }: FileReading, { provider, table, chosenAt }: Choice, url: string): string {
  const isSetUp = tableAt(content, "model_providers", PROVIDER) !== undefined
  if (isSetUp && provider !== PROVIDER) return `in ${chosenAt}: model_provider = "${PROVIDER}"`
  if (table === undefined) return "run `sluice setup codex`"
  return `in ${path}, [model_providers.${provider}]: base_url = "${url}"`
}

type Readings = {
  readonly config: FileReading
  readonly envFile: FileReading
  readonly login: FileReading
  readonly env: ClientView["env"]
}

function keyOf({ config, envFile, login, env }: Readings, { table, envKey, provider }: Choice): Fact | undefined {
  const token = table === undefined ? undefined : stringAt(table, "experimental_bearer_token")
  if (token !== undefined) return { value: token, where: `${config.path}: experimental_bearer_token` }
  if (envKey !== undefined) {
    const value = env[envKey]
    if (value === undefined || value === "") return undefined
    const inFile = stringAt(envFile.content, envKey) !== undefined
    return { value, where: inFile ? `${envFile.path}: ${envKey}` : `${envKey} in the environment` }
  }
  const usesLogin = provider === "openai" || table?.["requires_openai_auth"] === true
  const value = usesLogin ? stringAt(login.content, "OPENAI_API_KEY") : undefined
  return value === undefined ? undefined : { value, where: `${login.path}: OPENAI_API_KEY` }
}

function trapsOf({ path }: FileReading, choice: Choice, env: ClientView["env"]): readonly Finding[] {
  const { provider, table, baseUrl } = choice
  const findings: Finding[] = []
  const wire = table === undefined ? undefined : stringAt(table, "wire_api")
  if (wire !== undefined && wire !== "responses") {
    const fix = `in ${path}, [model_providers.${provider}]: wire_api = "responses"`
    findings.push({ status: "problem", text: `wire_api is "${wire}"; the Codex CLI speaks Responses only`, fix })
  }
  if (table === undefined && provider !== "openai") {
    const fix = `in ${path}: add [model_providers.${provider}], or run \`sluice setup codex\``
    findings.push({ status: "problem", text: `model_provider "${provider}" is not defined`, fix })
  }
  if (baseUrl === undefined && env["OPENAI_BASE_URL"] !== undefined) {
    const fix = "run `sluice setup codex`, or set openai_base_url in config.toml"
    findings.push({ status: "problem", text: "OPENAI_BASE_URL is set, but the Codex CLI ignores it", fix })
  }
  return findings
}
