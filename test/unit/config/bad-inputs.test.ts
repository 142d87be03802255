/** Every way to write a configuration wrong, with the exact words the operator reads. */

import { expect, test } from "bun:test"

import { type GivenLayers, problemsOf } from "./inputs.ts"

type BadInput = { readonly name: string; readonly given: GivenLayers; readonly says: readonly string[] }

const WHOLE = "expected a whole number from 0 to 1000"
const SECONDS = "expected a number of seconds from 0 to 2000000"
const LISTEN = "expected an address such as 127.0.0.1:8080, [::1]:8080 or :8080"
const POOL = "expected a list of entries such as `{id: main, token_file: codex/main.json}`"
const KEYS = "expected a list of texts, none of them empty"

const BAD_INPUTS: readonly BadInput[] = [
  {
    name: "an unknown key names the nearest known one",
    given: { yaml: "log-level: info\n\nmax-retries: 3\n" },
    says: ['sluice.yaml:3: max-retries: unknown key; did you mean "max-retry"?'],
  },
  {
    name: "camelCase and snake_case find their kebab-case key",
    given: { yaml: "refreshInterval: 3\ndata_dir: x\n" },
    says: [
      'sluice.yaml:1: refreshInterval: unknown key; did you mean "refresh-interval"?',
      'sluice.yaml:2: data_dir: unknown key; did you mean "data-dir"?',
    ],
  },
  {
    name: "an entry of a pool that cannot be used is named, and what it holds is not",
    given: {
      yaml: "credential_pool:\n  codex:\n    - { id: one, token_file: one.json }\n    - { id: two, proxy_url: h:1 }\n",
    },
    says: [`sluice.yaml:2: credential-pool.codex: ${POOL}, got a list whose entry 2 has no token_file`],
  },
  {
    name: "a proxy of a pool's entry that no address can be read from",
    given: { args: ["--credential-pool-codex", '[{"id":"a","token_file":"a","proxy_url":"u:secret@h"}]'] },
    says: [
      `flag --credential-pool-codex: credential-pool.codex: ${POOL}, got a list whose entry 1 has an unusable proxy_url`,
    ],
  },
  {
    name: "a pool's entry with a key that means nothing, and a pool that is none",
    given: {
      yaml: "credential-pool: { codex: [{ id: a, token_file: a, weight: 3 }] }\n",
      env: { SLUICE_CREDENTIAL_POOL_CODEX: "[{" },
    },
    says: [
      `sluice.yaml:1: credential-pool.codex: ${POOL}, got a list whose entry 1 has an unknown key weight`,
      `environment SLUICE_CREDENTIAL_POOL_CODEX: credential-pool.codex: ${POOL}, got another text`,
    ],
  },
  {
    name: "two entries of a pool with one name or one file",
    given: {
      yaml: "credential-pool:\n  codex:\n    - { id: a, token_file: a }\n    - { id: a, token_file: b }\n    - { id: c, token_file: ./a }\n",
    },
    says: [
      "sluice.yaml:2: credential-pool.codex: entry 2 has the id of entry 1",
      "sluice.yaml:2: credential-pool.codex: entry 3 has the token_file of entry 1",
    ],
  },
  {
    name: "a creds-store that does not exist",
    given: { args: ["--creds-store", "vault"] },
    says: [
      'flag --creds-store: creds-store: expected one of off, auto, xdg, legacy, keychain, env, got the text "vault"',
    ],
  },
  {
    name: "a key that resembles nothing has no suggestion",
    given: { yaml: "zzzzzzzzzz: 1\n" },
    says: ["sluice.yaml:1: zzzzzzzzzz: unknown key"],
  },
  {
    name: "a key inside a section is named by its whole path",
    given: { yaml: "queue:\n  max: 5\n  timeuot: 3\n" },
    says: ['sluice.yaml:3: queue.timeuot: unknown key; did you mean "queue.timeout"?'],
  },
  {
    name: "a wrong type says what was expected and what was found",
    given: { yaml: 'max-retry: "two"\nqueue: 7\nlisten: 8080\nexpose-codex-headers: maybe\nworkers: 1.5\n' },
    says: [
      `sluice.yaml:1: max-retry: ${WHOLE}, got the text "two"`,
      "sluice.yaml:2: queue: expected a mapping with the keys max, timeout, max-per-key",
      `sluice.yaml:3: listen: ${LISTEN}, got the number 8080`,
      'sluice.yaml:4: expose-codex-headers: expected true or false, got the text "maybe"',
      "sluice.yaml:5: workers: expected `auto` or a whole number from 1 to 64, got the number 1.5",
    ],
  },
  {
    name: "rules for accounts that name no kind of account, or numbers out of range",
    given: {
      yaml: "scheduler:\n  priorities: { pro: 10 }\n  weights: { plan/pro: 0 }\n  tags: { tag/a: b }\n",
      env: { SLUICE_SCHEDULER_WEIGHTS: "plan/pro=1001" },
    },
    says: [
      "sluice.yaml:2: scheduler.priorities: expected a mapping of account ids, `tag/…`, `plan/…` or `provider/…` to whole numbers from -100 to 100, such as `plan/pro: 10`, got a mapping",
      "sluice.yaml:3: scheduler.weights: expected a mapping of account ids, `tag/…`, `plan/…` or `provider/…` to whole numbers from 1 to 1000, such as `plan/pro: 6`, got a mapping",
      "sluice.yaml:4: scheduler.tags: expected a mapping of account ids, `plan/…` or `provider/…` to tags, such as `plan/pro: night+batch`, got a mapping",
      "environment SLUICE_SCHEDULER_WEIGHTS: scheduler.weights: expected a mapping of account ids, `tag/…`, `plan/…` or `provider/…` to whole numbers from 1 to 1000, such as `plan/pro: 6`, got a mapping",
    ],
  },
  {
    name: "a value out of range or out of the list",
    given: { yaml: "max-retry: -1\nidle-timeout: .inf\nlog-level: loud\ncompact: [auto]\nlisten: 127.0.0.1:65536\n" },
    says: [
      `sluice.yaml:1: max-retry: ${WHOLE}, got the number -1`,
      `sluice.yaml:2: idle-timeout: ${SECONDS}, got the number Infinity`,
      'sluice.yaml:3: log-level: expected one of debug, info, warn, error, got the text "loud"',
      "sluice.yaml:4: compact: expected one of auto, direct, trigger, got a list",
      `sluice.yaml:5: listen: ${LISTEN}, got the text "127.0.0.1:65536"`,
    ],
  },
  {
    name: "a size with an unknown unit",
    given: { yaml: "max-body-bytes: 64 parsecs\n" },
    says: [
      'sluice.yaml:1: max-body-bytes: expected a size such as 64MiB or a number of bytes, got the text "64 parsecs"',
    ],
  },
  {
    name: "secrets are not repeated",
    given: { yaml: "proxy-url: ftp://user:hunter2@host\napi-keys: [sk-good, '', sk bad]\n" },
    says: [
      "sluice.yaml:1: proxy-url: expected an http, https, socks5 or socks5h address without a path, or nothing, got another text",
      `sluice.yaml:2: api-keys: ${KEYS}, got a list with an empty text at position 2`,
    ],
  },
  {
    name: "one key instead of a list, and a key that YAML reads as a number",
    given: { yaml: "api-keys: sk-secret\n" },
    says: [`sluice.yaml:1: api-keys: ${KEYS}, got another text`],
  },
  {
    name: "a key that YAML reads as a number",
    given: { yaml: "api-keys:\n  - sk-a\n  - 12345\n" },
    says: [`sluice.yaml:1: api-keys: ${KEYS}, got a list with a number at position 2`],
  },
  {
    name: "a key given twice",
    given: { yaml: "max-retry: 1\nworkers: 1\nmax-retry: 2\n" },
    says: ["sluice.yaml:3: max-retry: given twice, first on line 1"],
  },
  {
    name: "text that is not YAML",
    given: { yaml: 'max-retry: 1\nlog-level: "info\n' },
    says: ['sluice.yaml:3: not readable as YAML: Missing closing "quote'],
  },
  {
    name: "a file that is no mapping",
    given: { yaml: "- a\n- b\n" },
    says: ["sluice.yaml:1: expected lines such as `key: value`"],
  },
  {
    name: "a variable with a bad value",
    given: { env: { SLUICE_MAX_RETRY: "many", SLUICE_QUEUE_TIMEOUT: "1m", PORT: "http" } },
    says: [
      `environment SLUICE_MAX_RETRY: max-retry: ${WHOLE}, got the text "many"`,
      `environment SLUICE_QUEUE_TIMEOUT: queue.timeout: ${SECONDS}, got the text "1m"`,
      'environment PORT: listen: expected a port from 0 to 65535, got the text "http"',
    ],
  },
  {
    name: "a proxy variable without a scheme, whose text may hold a password",
    given: { env: { HTTPS_PROXY: "user:hunter2@proxy:8080" } },
    says: [
      "environment HTTPS_PROXY: proxy-url: expected an http, https, socks5 or socks5h address without a path, or nothing, got another text",
    ],
  },
  {
    name: "flags: unknown, without a value, with a bad value",
    given: { args: ["--max-retries", "3", "--workers", "none", "--listen"] },
    says: [
      'flag --max-retries: unknown flag; did you mean "--max-retry"?',
      'flag --workers: workers: expected `auto` or a whole number from 1 to 64, got the text "none"',
      "flag --listen: expected a value after it",
    ],
  },
  {
    name: "a named file that does not exist",
    given: { args: ["--config", "other.yaml"] },
    says: ["other.yaml: the file does not exist"],
  },
  {
    name: "a folder in place of the file",
    given: { args: ["--config", "."] },
    says: [".: cannot be read (EISDIR)"],
  },
  {
    name: "an open address without keys",
    given: { yaml: "log-level: info\nlisten: :8080\n" },
    says: [
      "sluice.yaml:2: listen: :8080 can be reached from other machines and api-keys is empty, so anyone could spend your accounts. Add a key under api-keys, set client-keys.required, or listen on 127.0.0.1:8080",
    ],
  },
  {
    name: "a proxy that is no range of addresses",
    given: { yaml: 'client-keys:\n  trusted-proxies: ["10.0.0.0/8", "10.0.0.0/33", "proxy.local"]\n' },
    says: [
      "sluice.yaml:2: client-keys.trusted-proxies: expected a list of addresses or ranges such as 127.0.0.1 or 10.0.0.0/8, got a list",
    ],
  },
  {
    name: "a range of more bits than an address has",
    given: { yaml: "client-keys:\n  trusted-proxies: [10.0.0.0/33]\n" },
    says: ["sluice.yaml:2: client-keys.trusted-proxies: 10.0.0.0/33 is neither an address nor a range of addresses"],
  },
  {
    name: "a price with a part missing",
    given: { yaml: "prices:\n  gpt-5.5: 1.25/10\n" },
    says: [
      "sluice.yaml:1: prices: expected a mapping of model names to three prices, such as `gpt-5.5: 1.25/0.125/10`, got a mapping",
    ],
  },
  {
    name: "a user agent with an unknown placeholder",
    given: { yaml: 'upstream-identity:\n  user-agent: "{originator}/{client-version} {colour}"\n' },
    says: ["sluice.yaml:2: upstream-identity.user-agent: unknown placeholder {colour}"],
  },
  {
    name: "a client version that YAML reads as a number",
    given: { yaml: "upstream-identity:\n  client-version: 0.155\n" },
    says: [
      "sluice.yaml:2: upstream-identity.client-version: expected a version such as 0.155.0 (in quotes if YAML would read a number), got the number 0.155",
    ],
  },
  {
    name: "all layers and the rules between settings report at once",
    given: {
      yaml: "listen: 0.0.0.0:8080\nmax-retries: 3\n",
      env: { SLUICE_WORKERS: "0" },
      args: ["--log-level", "loud"],
    },
    says: [
      'sluice.yaml:2: max-retries: unknown key; did you mean "max-retry"?',
      "environment SLUICE_WORKERS: workers: expected `auto` or a whole number from 1 to 64, got the number 0",
      'flag --log-level: log-level: expected one of debug, info, warn, error, got the text "loud"',
      "sluice.yaml:1: listen: 0.0.0.0:8080 can be reached from other machines and api-keys is empty, so anyone could spend your accounts. Add a key under api-keys, set client-keys.required, or listen on 127.0.0.1:8080",
    ],
  },
]

test("an open address is accepted without `api-keys` where a key is required", async () => {
  expect(await problemsOf({ yaml: "listen: :8080\nclient-keys:\n  required: true\n" })).toEqual([])
})

for (const { name, given, says } of BAD_INPUTS) {
  test(`refused: ${name}`, async () => {
    expect(await problemsOf(given)).toEqual([...says])
  })
}
