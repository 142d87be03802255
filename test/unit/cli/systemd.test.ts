/** `sluice systemd`: the unit it prints, and how it installs one. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeSystemdCommand, renderUnit } from "#cli/systemd.ts"
import { GatewayError } from "#core/errors.ts"

import { recordIo } from "../../support/command-io.ts"

const BINARY = "/usr/local/bin/sluice"
let folder = ""
let unitPath = ""

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-systemd-"))
  unitPath = join(folder, "sluice.service")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test("without options the unit is the template in config/", async () => {
  const { io, stdout } = recordIo()
  expect(await makeSystemdCommand({ unitPath, binary: BINARY }).run([], io)).toBe(0)
  expect(stdout()).toBe(readFileSync(join(import.meta.dir, "../../../config/sluice.service"), "utf8"))
})

test("paths with blanks and percent signs survive systemd's own quoting", () => {
  const unit = renderUnit({ binary: "/opt/my apps/sluice", config: "/etc/100%.yaml" })
  expect(unit).toContain('\nExecStart="/opt/my apps/sluice" serve --config /etc/100%%.yaml\n')
})

test("a named user replaces the one that lives only while the service runs", () => {
  const unit = renderUnit({ binary: BINARY, user: "gateway" })
  expect(unit).toContain("\nUser=gateway\n")
  expect(unit).not.toContain("DynamicUser")
})

test("relative paths are taken from where the command was typed", async () => {
  const { io, stdout } = recordIo({ cwd: "/srv" })
  await makeSystemdCommand({ unitPath, binary: BINARY }).run(["--config", "sluice.yaml", "--binary=./sluice"], io)
  expect(stdout()).toContain("\nExecStart=/srv/sluice serve --config /srv/sluice.yaml\n")
})

test("a program in a home folder is warned about, because the service cannot see it", async () => {
  const { io, stderr } = recordIo()
  await makeSystemdCommand({ unitPath, binary: "/home/someone/sluice" }).run([], io)
  expect(stderr()).toContain("/home/someone/sluice")
})

test("--install writes the unit and says what comes next", async () => {
  const { io, stdout } = recordIo()
  expect(await makeSystemdCommand({ unitPath, binary: BINARY }).run(["--install"], io)).toBe(0)
  expect(readFileSync(unitPath, "utf8")).toBe(renderUnit({ binary: BINARY }))
  expect(statSync(unitPath).mode & 0o777).toBe(0o644)
  expect(stdout()).toContain("systemctl enable --now sluice")
})

test("--install leaves a unit that is already there alone, and --force replaces it", async () => {
  writeFileSync(unitPath, "mine\n")
  const command = makeSystemdCommand({ unitPath, binary: BINARY })
  const { io } = recordIo()
  const refusal = await command.run(["--install"], io).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(GatewayError)
  expect(refusal).toMatchObject({ hint: "--force replaces it." })
  expect(readFileSync(unitPath, "utf8")).toBe("mine\n")
  expect(await command.run(["--install", "--force"], io)).toBe(0)
  expect(readFileSync(unitPath, "utf8")).toContain("[Service]")
})

test("a user name that could smuggle a line into the unit is refused", async () => {
  const { io, stdout, stderr } = recordIo()
  expect(await makeSystemdCommand({ unitPath, binary: BINARY }).run(["--user", "a\nExecStart=x"], io)).toBe(2)
  expect(stderr()).toContain("--user")
  expect(stdout()).toBe("")
})

test("a line break in a path is refused as well", async () => {
  const { io } = recordIo()
  const refused = makeSystemdCommand({ unitPath, binary: BINARY }).run(["--config", "/a\nb"], io)
  expect(await refused).toBe(2)
})

test.skipIf(Bun.which("systemd-analyze") === null)("systemd itself finds nothing wrong with the unit", async () => {
  writeFileSync(unitPath, renderUnit({ binary: "/bin/true", config: "/etc/sluice.yaml", user: "root" }))
  const check = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", unitPath])
  expect({ code: check.exitCode, said: check.stderr.toString() }).toEqual({ code: 0, said: "" })
})
