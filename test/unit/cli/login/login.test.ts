/** `sluice login` in its three ways against the simulator's sign-in service. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { agreeOnPage, makeLoginWorld } from "./login-world.ts"

const NOBODY = { access_token: "", refresh_token: "", id_token: "", email: "" }

let world: ReturnType<typeof makeLoginWorld>
beforeEach(() => {
  world = makeLoginWorld()
})
afterEach(() => world.stop())

/** A browser that follows the page back; what it is shown at the end goes to `shown`. */
function browser(shown: (status: number, text: string) => void, change = (address: string) => address) {
  return {
    open: (url: string) => {
      void agreeOnPage(url).then(async address => {
        const page = await fetch(change(address))
        shown(page.status, await page.text())
      })
      return true
    },
  }
}

test("the browser comes back, sees that it worked, and the account is in the database, in clear nowhere", async () => {
  const page = Promise.withResolvers<string>()
  const { code, out, err } = await world.run(
    ["--port", "0"],
    browser((status, text) => page.resolve(`${status} ${text}`)),
  )
  expect({ code, err }).toEqual({ code: 0, err: "" })
  const [{ access_token, refresh_token, id_token, email } = NOBODY, ...others] = await world.exported()
  expect(others).toEqual([])
  const shown = await page.promise
  expect(shown).toStartWith("200 ")
  expect(shown).toContain("Signed in")
  expect(out).toContain("Signed in as ac***@simulator.invalid (plus).\n")
  expect(out).toContain(`The account was added to the data folder ${world.dataDir}.\n`)
  expect(out).toContain("must not also live in another program")
  for (const secret of [access_token, refresh_token, id_token, email]) {
    expect(secret).toBeString()
    expect(secret).not.toBe("")
    expect(out + shown).not.toContain(secret)
  }
  expect(existsSync(world.authDir)).toBe(false)
  for (const name of readdirSync(world.dataDir)) {
    const path = join(world.dataDir, name)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    for (const secret of [access_token, refresh_token, id_token]) {
      expect(readFileSync(path, "latin1")).not.toContain(secret)
    }
  }
})

test("a visit with a wrong state is turned away, and the right one still counts", async () => {
  const statuses: number[] = []
  const parts = {
    open: (url: string) => {
      void agreeOnPage(url).then(async address => {
        statuses.push((await fetch(address.replace(/state=[^&]+/, "state=forged"))).status)
        statuses.push((await fetch(address)).status)
      })
      return true
    },
  }
  expect((await world.run(["--port", "0"], parts)).code).toBe(0)
  expect(statuses[0]).toBe(400)
  expect(await world.list()).toHaveLength(1)
})

test("a browser that comes back twice changes nothing about the first time", async () => {
  const twice = Promise.withResolvers<readonly number[]>()
  const parts = {
    open: (url: string) => {
      void agreeOnPage(url).then(async address => {
        const pages = await Promise.all([fetch(address), fetch(address)])
        twice.resolve(pages.map(page => page.status).sort())
      })
      return true
    },
  }
  expect((await world.run(["--port", "0"], parts)).code).toBe(0)
  expect(await twice.promise).toEqual([200, 400])
})

test("everything goes through the proxy, and not around one that is dead", async () => {
  const seen: string[] = []
  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async request => {
      seen.push(new URL(request.url).pathname)
      const body = await request.text()
      return fetch(request.url, { method: request.method, headers: request.headers, body })
    },
  })
  const through = ["--proxy-url", proxy.url.origin]
  expect((await paste(address => [address], through)).code).toBe(0)
  expect(seen).toEqual(["/oauth/token"])
  await proxy.stop(true)
  const { code, said } = await paste(address => [address], through)
  expect(code).toBe(1)
  expect(said).toContain("Check the network, `proxy-url`")
})

test("a workspace without Codex ends with what to do, on the page and on the terminal", async () => {
  const page = Promise.withResolvers<string>()
  const refusing = (address: string) => {
    const url = new URL(address)
    url.searchParams.delete("code")
    url.searchParams.set("error", "access_denied")
    url.searchParams.set("error_description", "missing_codex_entitlement")
    return url.href
  }
  const { code, err } = await world.run(
    ["--port", "0"],
    browser((status, text) => page.resolve(`${status} ${text}`), refusing),
  )
  expect(code).toBe(1)
  expect(err).toContain("This ChatGPT workspace has not enabled Codex.\n  Ask the workspace")
  expect(await page.promise).toContain("has not enabled Codex")
  expect(await world.list()).toEqual([])
})

test("/cancel gives the port up to another sign-in", async () => {
  const parts = {
    open: (url: string) => {
      const back = new URL(new URL(url).searchParams.get("redirect_uri") ?? "")
      void fetch(`http://127.0.0.1:${back.port}/cancel`)
      return true
    },
  }
  const { code, err } = await world.run(["--port", "0"], parts)
  expect(code).toBe(1)
  expect(err).toContain("Another sign-in was started")
})

test("a port that another program keeps is named, with the ways that need none", async () => {
  const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("not yours") })
  const { port } = other
  const { code, err } = await world.run(["--port", String(port)])
  await other.stop(true)
  expect(code).toBe(1)
  expect(err).toContain(`needs port ${port}`)
  expect(err).toContain("--device or --no-browser")
})

test("a port held by an older sign-in is taken over from it", async () => {
  const older = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: request => {
      if (new URL(request.url).pathname === "/cancel") void older.stop()
      return new Response("", { headers: { connection: "close" } })
    },
  })
  const { code } = await world.run(
    ["--port", String(older.port)],
    browser(() => {}),
  )
  expect(code).toBe(0)
})

test("Ctrl-C ends the wait with a sentence and adds nothing", async () => {
  const stop = new AbortController()
  const parts = {
    open: () => {
      stop.abort("SIGINT")
      return true
    },
  }
  const { code, err } = await world.run(["--port", "0"], parts, { signal: stop.signal })
  expect(code).toBe(1)
  expect(err).toContain("Cancelled; no account was added.")
  expect(await world.list()).toEqual([])
})

/** Runs `--no-browser` with somebody who pastes what `answers` makes of the address on the terminal. */
async function paste(answers: (address: string) => readonly string[], args: readonly string[] = []) {
  let said = ""
  async function* lines() {
    const url = /https?:\S+authorize\S+/.exec(said)?.[0] ?? ""
    yield* answers(await agreeOnPage(url))
  }
  const write = (text: string) => {
    said += text
  }
  const result = await world.run(["--no-browser", ...args], { lines }, { stdout: write, stderr: write })
  return { ...result, said }
}

test("the pasted address signs in, also after a wrong one", async () => {
  const { code, said } = await paste(address => ["", address.replace(/state=[^&]+/, "state=forged"), address])
  expect(code).toBe(0)
  expect(said).toContain("belongs to another sign-in")
  expect(said).toContain("Signed in as ac***")
})

test("the pasted code alone signs in", async () => {
  expect((await paste(address => [new URL(address).searchParams.get("code") ?? ""])).code).toBe(0)
})

test("an input that ends says what to do", async () => {
  const { code, said } = await paste(() => [])
  expect(code).toBe(1)
  expect(said).toContain("The input ended before an answer was pasted.")
})

test("a made-up code is refused by the service and nothing is written", async () => {
  const { code, said } = await paste(() => ["ac_made_up"])
  expect(code).toBe(1)
  expect(said).toContain("The code was not accepted")
  expect(await world.list()).toEqual([])
})

/** Signs the simulator's account in by a pasted address and returns what was said. */
async function signIn(name: string): Promise<string> {
  world.simulator.control.chooseLogin(name)
  return (await paste(address => [address])).said
}

test("signing in a second account adds one, the first one again replaces its sign-in and leaves the other alone", async () => {
  expect(await signIn("account-1")).toContain("was added to")
  expect(await signIn("account-2")).toContain("was added to")
  const before = await world.exported()
  expect(await signIn("account-1")).toContain("Its sign-in was replaced in")
  const after = await world.exported()
  expect(after).toHaveLength(2)
  const tokenOf = (email: string, among: typeof after) => among.find(one => one.email === email)?.refresh_token
  const changed = after.filter(({ email }) => tokenOf(email, before) !== tokenOf(email, after))
  // Also within one second, when the tokens' times say nothing.
  expect(changed).toMatchObject([{ email: world.simulator.control.accounts()[0]?.email }])
})

test("an account that lives in a file of auth-dir is brought up to date there, and keeps what else stands in it", async () => {
  const entry = world.simulator.control.accountFile("account-1")
  world.putFile("mine.json", { ...entry, remark: "kept" })
  expect(await signIn("account-1")).toContain("in its file mine.json.")
  const written = JSON.parse(readFileSync(join(world.authDir, "mine.json"), "utf8"))
  expect(written.remark).toBe("kept")
  expect(written.refresh_token).not.toBe(entry.refresh_token)
  expect(readdirSync(world.authDir)).toEqual(["mine.json"])
  expect(await world.list()).toMatchObject([{ source: { type: "file", file: "mine.json" } }])
})

test("an account from the recycle bin comes back, and a paused one is said to be paused", async () => {
  await signIn("account-1")
  const [{ id } = { id: "" }] = await world.list()
  await world.accounts("archive", id)
  expect(await world.list()).toEqual([])
  expect(await signIn("account-1")).toContain("was taken out of the recycle bin of")
  expect(await world.list()).toMatchObject([{ id, state: "ready" }])
  await world.accounts("pause", id)
  expect(await signIn("account-1")).toContain(`It is paused: \`sluice accounts enable ${id}\` lets it serve.`)
})

test("--json is one object without secrets, everything else goes to standard error", async () => {
  const page = Promise.withResolvers<number>()
  const { code, out, err } = await world.run(
    ["--port", "0", "--json"],
    browser(status => page.resolve(status)),
  )
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    signedIn: true,
    id: expect.stringMatching(/^acc_[0-9a-f]{16}$/),
    label: "ac***@simulator.invalid",
    plan: "plus",
    where: `the data folder ${world.dataDir}`,
    file: null,
    change: "added",
    paused: false,
    canRefresh: true,
  })
  expect(err).toContain("/oauth/authorize?")
})

test("--json tells a refusal as an object too, with exit code 1", async () => {
  const { code, out } = await world.run(["--no-browser", "--json"])
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ signedIn: false, code: "nothing_pasted", hint: expect.any(String) })
})

test("a data folder that cannot be used is said before anybody signs in", async () => {
  writeFileSync(world.dataDir, "a file in its place")
  const { code, out, err } = await world.run(["--no-browser"])
  expect({ code, out }).toEqual({ code: 1, out: "" })
  expect(err).toContain("cannot be used")
})

test("a gateway that cannot be reached is said before anybody signs in", async () => {
  const { code, out, err } = await world.run(["--no-browser", "--gateway", "http://127.0.0.1:1"])
  expect({ code, out }).toEqual({ code: 1, out: "" })
  expect(err).toContain("The gateway at http://127.0.0.1:1 cannot be reached")
})

test("wrong usage is exit code 2 and says what is wrong", async () => {
  expect(await world.run(["--device", "--no-browser"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("name one"),
  })
  expect(await world.run(["--device", "--port", "1"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--port"),
  })
  expect(await world.run(["--port", "70000"])).toMatchObject({ code: 2, err: expect.stringContaining("65535") })
  expect(await world.run(["--devise"])).toMatchObject({ code: 2, err: expect.stringContaining('"--device"') })
  expect(await world.run(["me"])).toMatchObject({ code: 2, err: expect.stringContaining('"me"') })
})
