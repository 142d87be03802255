/** Clients that are told by variables alone: the SDKs, what is built on them, and aider. */

import type { Client, ClientName, ClientPlace, ClientView, Fact, Finding } from "./client.ts"

/** Which variables a client reads; the first of each list is the one to set. */
type Variables = {
  readonly name: ClientName
  readonly title: string
  readonly url: readonly string[]
  readonly key: readonly string[]
  readonly model: readonly string[]
  /** One of these says that the client is meant to use a gateway. */
  readonly foundBy: readonly string[]
  readonly urlPaths: readonly string[]
  readonly keyHeader: ClientView["keyHeader"]
  readonly proxies: readonly string[]
  readonly traps?: (env: ClientPlace["env"]) => readonly Finding[]
}

/** Python's SDKs obey these; Node's obey none. */
const PYTHON_PROXIES = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]

const TABLE: readonly Variables[] = [
  {
    name: "openai",
    title: "OpenAI SDKs, LangChain, agents",
    url: ["OPENAI_BASE_URL", "OPENAI_API_BASE"],
    key: ["OPENAI_API_KEY"],
    model: ["OPENAI_MODEL"],
    foundBy: ["OPENAI_BASE_URL"],
    urlPaths: ["/v1", ""],
    keyHeader: "authorization",
    proxies: PYTHON_PROXIES,
    traps: env => {
      if (env["OPENAI_API_BASE"] === undefined || env["OPENAI_BASE_URL"] !== undefined) return []
      const text = "OPENAI_API_BASE is set, but the SDKs read OPENAI_BASE_URL"
      return [{ status: "problem", text, fix: `export OPENAI_BASE_URL=${env["OPENAI_API_BASE"]}` }]
    },
  },
  {
    name: "anthropic",
    title: "Anthropic SDKs",
    url: ["ANTHROPIC_BASE_URL"],
    key: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
    model: ["ANTHROPIC_MODEL"],
    foundBy: ["ANTHROPIC_BASE_URL"],
    urlPaths: [""],
    keyHeader: "authorization",
    proxies: PYTHON_PROXIES,
  },
  {
    name: "genai",
    title: "Google Gen AI SDKs",
    url: ["GOOGLE_GEMINI_BASE_URL"],
    key: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    model: [],
    foundBy: ["GOOGLE_GEMINI_BASE_URL"],
    urlPaths: [""],
    keyHeader: "x-goog-api-key",
    proxies: PYTHON_PROXIES,
    traps: env => {
      if (env["GOOGLE_GENAI_USE_VERTEXAI"]?.toLowerCase() !== "true") return []
      const text = "GOOGLE_GENAI_USE_VERTEXAI is set, so the base URL does not count"
      return [{ status: "problem", text, fix: "unset GOOGLE_GENAI_USE_VERTEXAI" }]
    },
  },
  {
    name: "aider",
    title: "aider",
    url: ["OPENAI_API_BASE", "OPENAI_BASE_URL"],
    key: ["OPENAI_API_KEY"],
    model: ["AIDER_MODEL"],
    foundBy: ["OPENAI_API_BASE", "AIDER_MODEL"],
    urlPaths: ["/v1", ""],
    keyHeader: "authorization",
    proxies: PYTHON_PROXIES,
    traps: env => {
      const model = env["AIDER_MODEL"]
      if (model === undefined || model.includes("/")) return []
      const text = `AIDER_MODEL is "${model}"; without a prefix aider may speak another protocol`
      return [{ status: "problem", text, fix: `export AIDER_MODEL=openai/${model}` }]
    },
  },
]

/** The clients. */
export const ENVIRONMENT_CLIENTS: readonly Client[] = TABLE.map(variables => ({
  name: variables.name,
  title: variables.title,
  view: async place => viewOf(variables, place),
}))

function viewOf(variables: Variables, { env }: ClientPlace): ClientView {
  const find = (names: readonly string[]): Fact | undefined => {
    const name = names.find(one => env[one] !== undefined && env[one] !== "")
    const value = name === undefined ? undefined : env[name]
    return value === undefined ? undefined : { value, where: `${name} in the environment` }
  }
  const [baseUrl, key, model] = [find(variables.url), find(variables.key), find(variables.model)]
  const bare = model === undefined ? undefined : { ...model, value: model.value.replace(/^openai\//, "") }
  return {
    files: [],
    isFound: find(variables.foundBy) !== undefined,
    findings: variables.traps?.(env) ?? [],
    ...(baseUrl !== undefined && { baseUrl }),
    urlPaths: variables.urlPaths,
    ...(key !== undefined && { key }),
    keyHeader: variables.keyHeader,
    models: bare === undefined ? [] : [bare],
    env,
    proxyVariables: variables.proxies,
    remedies: {
      baseUrl: url => `export ${variables.url[0]}=${url}`,
      key: () => `export ${variables.key[0]}=…`,
      model: name => `name ${name} as the model`,
    },
  }
}
