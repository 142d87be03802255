/** Every setting with its type, default, unit, description and whether a running process takes a change over. */

import { type Static, type TObject, type TProperties, Type } from "@sinclair/typebox"

import { IMAGE_SETTINGS } from "./image-settings.ts"
import { CLIENT_KEY_SETTINGS, PRICES } from "./key-settings.ts"
import { bytes, choice, flag, poolEntries, seconds, secretList, text, textMap, wholeNumber } from "./leaf.ts"
import { LOG_SETTINGS } from "./log-settings.ts"
import { MEMORY_SETTINGS } from "./memory-settings.ts"
import { OLLAMA_SETTINGS } from "./ollama-settings.ts"
import { PROXY_PATTERN } from "./patterns.ts"
import { PROXY_SETTINGS } from "./proxy-settings.ts"
import { QUOTA_SETTINGS } from "./quota-settings.ts"
import { SCHEDULER_SETTINGS } from "./scheduler-settings.ts"
import { THREAD_SETTINGS, TRANSPORT_SETTINGS } from "./transport-settings.ts"

const PORT_PATTERN = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
const LISTEN_PATTERN = `^(\\[[0-9a-fA-F:.]+\\]|[0-9A-Za-z._-]*):${PORT_PATTERN}$`
const URL_PATTERN = "^https?://[^\\s/?#]+[^\\s]*$"
const VERSION_PATTERN = "^[0-9]+\\.[0-9]+\\.[0-9]+([-+.][0-9A-Za-z.+-]+)?$"
const PRINTABLE_PATTERN = "^[ -~]+$"

const NETWORK = {
  listen: text({
    default: "127.0.0.1:8080",
    description:
      "Address to serve on. `:8080` means every interface of this machine; any address other machines can reach needs `api-keys` or `client-keys.required`.",
    expected: "an address such as 127.0.0.1:8080, [::1]:8080 or :8080",
    pattern: LISTEN_PATTERN,
    live: false,
    emptyIsDefault: true,
  }),
  "api-keys": secretList({
    default: [],
    description:
      "Keys clients must present, beside those that `sluice keys create` stores. Without any no key is asked for, which is only possible on a loopback address.",
    live: true,
  }),
  "client-keys": section("Keys that are stored, beside those of `api-keys`.", CLIENT_KEY_SETTINGS),
  prices: PRICES,
  "admin-key": text({
    default: "",
    description:
      "Key of the operators' surface (`/api/admin` and the account routes of replaced systems), sent in `X-Admin-Key` or as a Bearer token. `ADMIN_SECRET` and `ADMIN_API_KEY` in the environment set it too. Empty = that surface is open to direct connections from this machine and to nobody else.",
    expected: "a key without spaces, or nothing",
    pattern: "^[!-~]*$",
    live: true,
    secret: true,
  }),
  "base-url": text({
    default: "https://chatgpt.com/backend-api/codex",
    description: "Upstream the ChatGPT accounts are used at. Without a scheme, https is meant.",
    expected: "an http or https address",
    pattern: URL_PATTERN,
    defaultScheme: "https://",
    live: false,
    emptyIsDefault: true,
  }),
  "usage-url": text({
    default: "",
    description:
      "Where an account's quota is asked for. Empty = derived from `base-url`: `…/backend-api/wham/usage`, or `<base-url>/api/codex/usage` when `base-url` has no `/backend-api`.",
    expected: "an http or https address, or nothing",
    pattern: `^$|${URL_PATTERN}`,
    live: false,
  }),
  "proxy-url": text({
    default: "",
    description:
      "Proxy for everything that goes upstream: http, https, socks5 or socks5h, each with user and password if it wants them. `socks5` resolves names on this machine, `socks5h` at the proxy. When no layer names it, `HTTPS_PROXY` is used; given as an empty text, the way out is direct.",
    expected: "an http, https, socks5 or socks5h address without a path, or nothing",
    pattern: PROXY_PATTERN,
    live: false,
    secret: true,
  }),
  ollama: section("A port of its own for programs that expect Ollama.", OLLAMA_SETTINGS),
  "keepalive-interval": seconds({
    default: 60,
    description: "Keeps upstream connections warm by a small request at this pace. 0 = off.",
    live: false,
  }),
  ...TRANSPORT_SETTINGS,
}

const FOLDERS = {
  "auth-dir": text({
    default: "./auths",
    description: "Folder with account files, watched while running. Relative to the working directory.",
    expected: "a folder",
    pattern: ".",
    live: false,
    emptyIsDefault: true,
  }),
  "data-dir": text({
    default: "",
    description:
      "Folder for the databases. Empty = `$XDG_DATA_HOME/sluice`, or `~/.local/share/sluice` when that variable is not set.",
    expected: "a folder",
    live: false,
  }),
  "master-key-source": choice(["auto", "env", "file", "keychain"], {
    default: "auto",
    description:
      "Where the key is that stored credentials are sealed with: the variable `SLUICE_MASTER_KEY` (`env`), `master-key-file`, or the keychain of the operating system. `auto` = the variable when it is set, else the file. File and keychain get a new key at the first start.",
    live: false,
  }),
  "master-key-file": text({
    default: "",
    description: "File with the master key, readable to its owner only. Empty = `master.key` in `data-dir`.",
    expected: "a file",
    live: false,
  }),
  models: text({
    default: "",
    description:
      "JSON file whose models are laid over the known ones: it adds, corrects or removes entries. Empty = none.",
    expected: "a file",
    live: false,
  }),
}

const LOGGING = {
  "log-level": choice(["debug", "info", "warn", "error"], {
    default: "info",
    description: "Least serious message that is logged.",
    live: true,
  }),
  "log-format": choice(["auto", "pretty", "json"], {
    default: "auto",
    description: "`auto` = pretty on a terminal, JSON lines elsewhere. `text` is read as `pretty`.",
    synonyms: { text: "pretty" },
    live: false,
  }),
  log: section("What is kept of finished requests.", LOG_SETTINGS),
}

const SOURCES = {
  "creds-store": choice(["off", "auto", "xdg", "legacy", "keychain", "env"], {
    default: "off",
    description:
      "One more account, kept as dvcrn/codex-proxy keeps it: in `$XDG_CONFIG_HOME/codex-proxy/auth.json` (`xdg`), in the Codex CLI's `auth.json` (`legacy`), in the CLI's entry of the operating system's keychain (`keychain`), or in the variables `ACCESS_TOKEN` and `ACCOUNT_ID` (`env`). `auto` = `xdg`; when that file is missing it is made from the CLI's file, else from its keychain entry.",
    synonyms: { "": "off" },
    live: false,
  }),
  "creds-path": text({
    default: "",
    description: "File for `creds-store` `auto`, `xdg` and `legacy` instead of the usual one. Empty = the usual one.",
    expected: "a file",
    live: false,
  }),
  "disable-migrate-refresh": flag({
    default: false,
    description:
      "Leaves out the refresh that follows when `creds-store: auto` has taken a login over. Both programs then share one login, and whoever refreshes first signs the other out.",
    live: false,
  }),
  "import-codex-cli": flag({
    default: false,
    description:
      "The Codex CLI's login (`$CODEX_HOME` or `~/.codex`) serves here too, without being refreshed here. The base URL of the provider that its `config.toml` selects is used for it.",
    live: false,
  }),
  "credential-pool": section(
    "Accounts named one by one, as ProxyCast's configuration names them. `credential_pool` is the same.",
    {
      codex: poolEntries({
        default: [],
        description:
          "Entries `{id, token_file, disabled, proxy_url}`: a name, a file (relative to `auth-dir`), whether to leave it out, and a proxy (http, https, socks5, socks5h) for everything of this account. In a variable or flag: JSON.",
        live: false,
      }),
    },
  ),
}

const ACCOUNTS = {
  "refresh-interval": seconds({
    default: 3000,
    description:
      "Age at which an access token is refreshed that does not say when it expires. One that does is refreshed shortly before. 0 counts as not given.",
    live: false,
    emptyIsDefault: true,
  }),
  "refresh-concurrency": wholeNumber({
    default: 50,
    minimum: 0,
    maximum: 10_000,
    description: "Token refreshes at the same time; more than 4 are never started at once. 0 counts as not given.",
    live: false,
    emptyIsDefault: true,
  }),
  "health-check-interval": seconds({
    default: 300,
    description:
      "How often accounts are probed, by asking for their quota, which costs none of it: those that rest, and those that have said nothing for a quarter of an hour. 0 = off.",
    live: true,
  }),
  "health-check-max-failures": wholeNumber({
    default: 3,
    minimum: 0,
    maximum: 1000,
    description:
      "Probes in a row without any answer after which an account rests for two intervals, or until a probe succeeds. 0 counts as not given.",
    live: true,
    emptyIsDefault: true,
  }),
  "health-check-concurrency": wholeNumber({
    default: 5,
    minimum: 0,
    maximum: 1000,
    description: "Probes at the same time. 0 counts as not given.",
    live: true,
    emptyIsDefault: true,
  }),
  "account-concurrency": wholeNumber({
    default: 4,
    minimum: 1,
    maximum: 1000,
    description:
      "Requests one account serves at the same time, at most: health and the upstream's own limits may lower it.",
    live: true,
  }),
  quota: section("What follows from used quota.", QUOTA_SETTINGS),
  scheduler: section("Which account serves a request.", SCHEDULER_SETTINGS),
  "response-memory": section("What clients can continue by id.", MEMORY_SETTINGS),
  images: section("How pictures are drawn.", IMAGE_SETTINGS),
  proxies: section("How the operators' proxies are checked.", PROXY_SETTINGS),
  oauth: section("Sign-in service that issues and refreshes the accounts' tokens.", {
    issuer: text({
      default: "https://auth.openai.com",
      description: "Address of the sign-in service.",
      expected: "an http or https address",
      pattern: URL_PATTERN,
      live: false,
    }),
    "client-id": text({
      default: "app_EMoamEEZ73f0CkXaXp7hrann",
      description: "Public client id presented to it.",
      expected: "a client id",
      pattern: "^[!-~]+$",
      live: false,
    }),
  }),
  "upstream-identity": section(
    "How requests introduce themselves upstream; some models are served to known names only.",
    {
      originator: text({
        default: "codex_cli_rs",
        description: "Value of the `originator` header.",
        expected: "printable ASCII text",
        pattern: PRINTABLE_PATTERN,
        live: false,
      }),
      "user-agent": text({
        default: "{originator}/{client-version} ({os} {os-version}; {arch}) sluice/{version}",
        description:
          "Template of the `User-Agent` header. It has to begin with the originator and the client version. `{originator}`, `{client-version}`, `{os}`, `{os-version}`, `{arch}` and `{version}` (of Sluice) are filled in.",
        expected: "printable ASCII text",
        pattern: PRINTABLE_PATTERN,
        live: false,
      }),
      "client-version": text({
        default: "0.155.0",
        description:
          "Version of the official client whose protocol is spoken. The upstream lists and serves newer models only from some version on.",
        expected: "a version such as 0.155.0 (in quotes if YAML would read a number)",
        pattern: VERSION_PATTERN,
        live: false,
      }),
    },
  ),
}

const REQUESTS = {
  "max-retry": wholeNumber({
    default: 2,
    minimum: 0,
    maximum: 1000,
    description: "How often a failed request moves on to another account, so attempts = this + 1.",
    live: true,
  }),
  "effort-precedence": choice(["suffix", "body"], {
    default: "suffix",
    description: "Which reasoning effort counts when the model's suffix and the request's body both name one.",
    live: true,
  }),
  model: section("Names of models.", {
    aliases: textMap({
      default: {},
      description:
        "Names of your own for models, with `*` for any text; a target may carry an effort and `-fast`. Names come before patterns, patterns in their order.",
      live: true,
    }),
    "legacy-names": choice(["map", "refuse"], {
      default: "map",
      description: "Retired names that no account lists: `map` serves them by their successor, `refuse` answers 404.",
      live: true,
    }),
  }),
  compact: choice(["auto", "direct", "trigger"], {
    default: "auto",
    description:
      "How `/v1/responses/compact` is served: by the upstream's own endpoint (`direct`), by a compaction item in an ordinary request (`trigger`), or by whichever works (`auto`).",
    live: true,
  }),
  "expose-codex-headers": flag({
    default: false,
    description: "Passes the upstream's `x-codex-*` quota headers on to clients.",
    live: true,
  }),
  queue: section("Requests that wait because every account is busy.", {
    max: wholeNumber({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description: "Requests that may wait; more are refused at once. 0 = nobody waits.",
      live: true,
    }),
    timeout: seconds({ default: 30, description: "Longest wait.", live: true }),
    "max-per-key": wholeNumber({
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      description: "Requests of one client key that may wait. 0 = as many as `queue.max`.",
      live: true,
    }),
  }),
}

const LIMITS = {
  "max-body-bytes": bytes({ default: "64MiB", description: "Largest request body, after decompression.", live: true }),
  "max-stream-buffer-bytes": bytes({
    default: "32MiB",
    description: "Most that is kept of one upstream answer while a frame of it is incomplete.",
    live: true,
  }),
  "body-timeout": seconds({
    default: 30,
    description: "Longest silence while a client sends its request body. 0 = no limit.",
    live: true,
  }),
  "first-byte-timeout": seconds({
    default: 120,
    description: "Longest wait for the upstream's first byte. 0 = no limit.",
    live: true,
  }),
  "idle-timeout": seconds({
    default: 300,
    description: "Longest silence inside an upstream answer. 0 = no limit.",
    live: true,
  }),
  "client-keepalive": seconds({
    default: 15,
    description: "A silent stream gets a comment line at this pace, so that proxies keep it open. 0 = off.",
    live: true,
  }),
  "shutdown-timeout": seconds({
    default: 30,
    description: "How long running requests may finish after a stop signal.",
    live: true,
  }),
  ...THREAD_SETTINGS,
}

/** The groups of settings in the order the docs and the default file show them. */
export const CONFIG_GROUPS = {
  Network: NETWORK,
  "Files and folders": FOLDERS,
  Logging: LOGGING,
  Accounts: ACCOUNTS,
  "Further accounts": SOURCES,
  Requests: REQUESTS,
  "Limits and threads": LIMITS,
} as const satisfies Record<string, TProperties>

/** The whole configuration file as one TypeBox schema. Every leaf carries a `note` (see `leaf.ts`). */
export const CONFIG_SCHEMA = Type.Object(
  { ...NETWORK, ...FOLDERS, ...LOGGING, ...ACCOUNTS, ...SOURCES, ...REQUESTS, ...LIMITS },
  { additionalProperties: false },
)

/** A complete configuration as the schema types it: kebab-case keys, seconds and bytes as written. */
export type ConfigValues = Static<typeof CONFIG_SCHEMA>

function section<Properties extends TProperties>(description: string, properties: Properties): TObject<Properties> {
  return Type.Object(properties, { description, additionalProperties: false })
}
