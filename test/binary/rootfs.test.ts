/** The container's root folder, run by chroot: same files, same user, same variables as in the image. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { compiledBinary, freePort, type StartedGateway, startGateway } from "../support/binary.ts"
import { ROOT } from "../support/source-tree.ts"

const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8")
const imageEnv = Object.fromEntries([...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(match => [match[1], match[2]]))
const imageUser = /^USER (\S+)$/m.exec(dockerfile)?.[1] ?? ""

/** Mounting /proc inside a namespace of our own needs root and a kernel that lets us. */
const isPermitted =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  Bun.spawnSync(["unshare", "--mount", "true"]).success &&
  Bun.which("chroot", { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }) !== null

describe.skipIf(!isPermitted)("the container's root folder", () => {
  const port = freePort()
  let folder = ""
  let root = ""
  let gateway: StartedGateway | undefined

  /** Runs a program of the root folder as the image's user, with /proc as every container has it. */
  const inside = (...command: readonly string[]) => {
    const script = `mount -t proc proc "$0/proc" && exec chroot --userspec=${imageUser} "$0" "$@"`
    return ["unshare", "--mount", "--", "sh", "-c", script, root, ...command]
  }
  const env = { ...imageEnv, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SLUICE_LISTEN: `127.0.0.1:${port}` }
  const run = (...command: readonly string[]) => {
    const child = Bun.spawnSync(inside(...command), { env, timeout: 20_000 })
    return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-rootfs-"))
    root = join(folder, "root")
    const binary = await compiledBinary()
    const made = Bun.spawnSync([process.execPath, join(ROOT, "scripts/build-rootfs.ts"), binary, root])
    if (!made.success) throw new Error(made.stderr.toString())
    // What a container engine adds when it starts the image.
    mkdirSync(join(root, "proc"))
    appendFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost gateway.test\n")
    gateway = await startGateway({
      command: inside("/sluice", "serve"),
      url: `http://127.0.0.1:${port}`,
      cwd: folder,
      env,
    })
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test("serves over HTTP", async () => {
    // A proxy named in the developer's environment must not be asked for loopback.
    const { out, code } = run("/sluice", "health")
    expect({ code, out }).toMatchObject({ code: 0 })
    expect(out).toStartWith(`alive: http://127.0.0.1:${port}`)
  })

  test("runs as the user without rights", () => {
    const status = readFileSync(`/proc/${gateway?.pid}/status`, "utf8")
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(imageUser.split(":")[0])
    expect(/^CapEff:\s+(\S+)/m.exec(status)?.[1]).toBe("0000000000000000")
  })

  test("finds hosts by name", () => {
    const { out, code } = run("/sluice", "health", "--url", `http://gateway.test:${port}`)
    expect({ code, out }).toMatchObject({ code: 0 })
  })

  test("writes its databases into /data", () => {
    expect([...new Bun.Glob("*.db").scanSync({ cwd: join(root, "data") })]).not.toEqual([])
  })

  test("holds no shell and nothing else to run", () => {
    const files = [...new Bun.Glob("{bin,sbin,usr}/**").scanSync({ cwd: root })]
    expect(files.filter(path => !path.startsWith("usr/share/zoneinfo/"))).toEqual([])
  })

  test("knows the time zones", () => {
    const zone = readFileSync(join(root, "usr/share/zoneinfo/Europe/Berlin"))
    expect(zone.subarray(0, 4).toString()).toBe("TZif")
  })
})

test("the image refuses to serve every interface without a key", async () => {
  const binary = await compiledBinary()
  const folder = mkdtempSync(join(tmpdir(), "sluice-image-"))
  try {
    const own = { SLUICE_AUTH_DIR: folder, SLUICE_DATA_DIR: folder, HOME: folder, SLUICE_LISTEN: ":0" }
    const child = Bun.spawnSync([binary, "serve"], { cwd: folder, env: { ...imageEnv, ...own }, timeout: 20_000 })
    expect(child.exitCode).not.toBe(0)
    expect(child.stderr.toString()).toContain("api-keys")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)
