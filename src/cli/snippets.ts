/** Copyable lines that point well-known clients at a gateway. */

/** What a snippet needs: the gateway's origin (`http://127.0.0.1:8080`), a client key, a model name. */
export type SnippetFacts = { readonly origin: string; readonly key: string; readonly model: string }

/** One client's snippet. */
export type Snippet = { readonly title: string; readonly text: string }

/** Returns the snippets in the order they are shown. */
export function connectionSnippets({ origin, key, model }: SnippetFacts): readonly Snippet[] {
  return [
    {
      title: "curl",
      text: `curl ${origin}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}'`,
    },
    {
      title: "OpenAI SDKs, aider, and whatever reads these variables",
      text: `export OPENAI_BASE_URL=${origin}/v1 OPENAI_API_KEY=${key}`,
    },
    {
      title: "Claude Code and Anthropic's SDKs",
      text: `export ANTHROPIC_BASE_URL=${origin} ANTHROPIC_AUTH_TOKEN=${key}`,
    },
    {
      title: "Codex CLI",
      text: `SLUICE_KEY=${key} codex -c model_provider=sluice -c model=${model} \\
  -c 'model_providers.sluice={name="sluice",base_url="${origin}/v1",env_key="SLUICE_KEY",wire_api="responses"}'`,
    },
    {
      title: "opencode (opencode.json)",
      text: `{"provider":{"sluice":{"npm":"@ai-sdk/openai-compatible","name":"Sluice",
  "options":{"baseURL":"${origin}/v1","apiKey":"${key}"},"models":{"${model}":{}}}}}`,
    },
    {
      title: "Cursor (Settings, Models)",
      text: `OpenAI API Key: ${key}    Override OpenAI Base URL: ${origin}/v1`,
    },
  ]
}
