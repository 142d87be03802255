/** The settings about accounts outside `auth-dir`: where their files are looked for, and what cannot be meant. */

import { expect, test } from "bun:test"
import { join } from "node:path"

import { explainConfig } from "#config/explain.ts"

import { loadedFrom, makeFolder, makeLoader } from "./inputs.ts"

/** The configuration of these flags and variables, with the folder it was loaded in. */
async function load(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  using folder = makeFolder()
  const result = await makeLoader(folder, { args, env }).load()
  if (result.type === "refused") throw new Error("refused")
  return { ...result.loaded, folder: folder.path }
}

test("the own file lies in the configuration home, the Codex CLI's in its own folder", async () => {
  const xdg = await load(["--creds-store", "xdg"], { XDG_CONFIG_HOME: "/etc/xdg" })
  expect(xdg.config.credsStore.path).toBe("/etc/xdg/codex-proxy/auth.json")
  const auto = await load(["--creds-store", "AUTO"])
  expect(auto.config.credsStore).toMatchObject({
    mode: "auto",
    path: join(auto.folder, "home/.config/codex-proxy/auth.json"),
    refreshesTakenOver: true,
  })
  const legacy = await load(["--creds-store=legacy"])
  expect(legacy.config.credsStore.path).toBe(join(legacy.folder, "home/.codex/auth.json"))
  const moved = await load(["--creds-store=legacy"], { CODEX_HOME: "/srv/codex" })
  expect(moved.config).toMatchObject({
    credsStore: { path: "/srv/codex/auth.json" },
    codexCli: { home: "/srv/codex", isImported: false },
  })
})

test("a path of one's own counts for every mode with a file, and starts where every path does", async () => {
  for (const mode of ["auto", "xdg", "legacy"]) {
    const { config, folder, warnings } = await load(["--creds-store", mode, "--creds-path", "mine.json"])
    expect([config.credsStore.path, warnings]).toEqual([join(folder, "mine.json"), []])
  }
  const { config, folder } = await load(["--creds-store", "xdg", "--creds-path", "~/mine.json"])
  expect(config.credsStore.path).toBe(join(folder, "home/mine.json"))
})

test("flags without effect are remarked on", async () => {
  expect((await load(["--creds-store", "env", "--creds-path", "x"])).warnings).toEqual([
    "creds-path: has no effect with creds-store env",
  ])
  expect((await load(["--creds-path", "x", "--disable-migrate-refresh"])).warnings).toEqual([
    "creds-path: has no effect with creds-store off",
    "disable-migrate-refresh: has an effect only with creds-store auto",
  ])
  expect((await load(["--creds-store", "auto", "--disable-migrate-refresh"])).warnings).toEqual([])
})

test("ProxyCast's pool loads as it stands there; pools of other services are named once", async () => {
  const yaml = `
auth_dir: accounts
credential_pool:
  kiro: []
  codex:
    - id: "codex-main"
      token_file: "codex/oauth.json"
      disabled: false
      proxy_url: "http://user:pass@proxy:8080/"
    - id: second
      token_file: /srv/second.json
      disabled: true
    - { id: third, token_file: ../third.json, proxy_url: "" }
  openai:
    - { id: key, api_key: sk-x }
`
  const { config, warnings } = await loadedFrom({ yaml })
  const { authDir } = config
  expect(config.credentialPool).toEqual([
    {
      id: "codex-main",
      tokenFile: join(authDir, "codex/oauth.json"),
      isDisabled: false,
      proxyUrl: "http://user:pass@proxy:8080",
    },
    { id: "second", tokenFile: "/srv/second.json", isDisabled: true, proxyUrl: undefined },
    { id: "third", tokenFile: join(authDir, "..", "third.json"), isDisabled: false, proxyUrl: undefined },
  ])
  expect(authDir).toEndWith("/accounts")
  expect(warnings).toEqual([
    "sluice.yaml: credential-pool.kiro, credential-pool.openai: known from another gateway, without effect here",
  ])
})

test("an explanation of the pool shows no password", async () => {
  const yaml = "credential-pool: { codex: [{ id: a, token_file: a.json, proxy_url: 'http://user:pa@ss@proxy:1' }] }"
  const rows = explainConfig(await loadedFrom({ yaml }))
  expect(rows.find(row => row.path === "credential-pool.codex")?.value).toEqual([
    { id: "a", token_file: "a.json", proxy_url: "http://***@proxy:1" },
  ])
})
