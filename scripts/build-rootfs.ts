/** Lays out the root folder of a container that holds one binary and what it needs: `bun scripts/build-rootfs.ts BINARY ROOT`. */

import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"

/** The user containers run as; the number is what distroless images made customary. */
const USER_ID = 65532

const FILES: Readonly<Record<string, string>> = {
  "etc/passwd": `root:x:0:0:root:/:/nologin\nsluice:x:${USER_ID}:${USER_ID}:sluice:/data:/nologin\n`,
  "etc/group": `root:x:0:\nsluice:x:${USER_ID}:\n`,
  // Without this file glibc would look for a name service that is not here.
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

/** Loaded by name at run time, so `ldd` does not list them. */
const LOADED_LATER = ["libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"]

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

/** `TZ` and everything that prints local time outside this program looks here. */
const TIME_ZONES = "/usr/share/zoneinfo"

/** The same zones again, for systems that count leap seconds or do not. */
const OTHER_TIME_ZONES = ["posix", "right"]

/** Returns the loader and the libraries `binary` asks for, by the names it asks for. */
function requiredLibraries(binary: string): readonly string[] {
  const ldd = Bun.spawnSync(["ldd", binary])
  if (!ldd.success) throw new Error(`ldd cannot read ${binary}: ${ldd.stderr.toString().trim()}`)
  const text = ldd.stdout.toString()
  const missing = /^\s*(\S+) => not found/m.exec(text)
  if (missing !== null) throw new Error(`${missing[1]} is not on this machine`)
  const paths = [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(match => match[1] ?? "")
  const libc = paths.find(path => basename(path) === "libc.so.6")
  if (libc === undefined)
    throw new Error("the binary is not linked against glibc; build it for linux-x64 or linux-arm64")
  const later = LOADED_LATER.map(name => join(dirname(libc), name)).filter(path => existsSync(path))
  return [...new Set([...paths, ...later])]
}

function copyFile(from: string, root: string, to = from): void {
  const target = join(root, to)
  mkdirSync(dirname(target), { recursive: true })
  // The file behind a link, under the name it is asked for.
  cpSync(realpathSync(from), target)
}

function copyTimeZones(root: string): void {
  if (!existsSync(TIME_ZONES)) throw new Error(`${TIME_ZONES} is not on this machine; install tzdata`)
  const others = OTHER_TIME_ZONES.map(name => join(TIME_ZONES, name))
  cpSync(TIME_ZONES, join(root, TIME_ZONES), { recursive: true, filter: path => !others.includes(path) })
}

/** Gives `path` to the container's user where this process may; elsewhere the image build does it. */
function giveAway(path: string): void {
  if (process.getuid?.() === 0) chownSync(path, USER_ID, USER_ID)
}

function layOut(binary: string, root: string): void {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  copyFile(binary, root, "sluice")
  chmodSync(join(root, "sluice"), 0o755)
  for (const path of requiredLibraries(binary)) copyFile(path, root)
  if (existsSync(CERTIFICATES)) copyFile(CERTIFICATES, root)
  else throw new Error(`${CERTIFICATES} is not on this machine; install ca-certificates`)
  copyTimeZones(root)
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  mkdirSync(join(root, "tmp"))
  chmodSync(join(root, "tmp"), 0o1777)
  for (const path of ["data", "data/auths"]) {
    mkdirSync(join(root, path), { mode: 0o700 })
    giveAway(join(root, path))
  }
}

const [binary, root] = process.argv.slice(2)
if (binary === undefined || root === undefined || ["/", ""].includes(resolve(root))) {
  console.error("Usage: bun scripts/build-rootfs.ts BINARY ROOT   (ROOT is emptied first)")
  process.exit(2)
}
layOut(resolve(binary), resolve(root))
const files = [...new Bun.Glob("**/*").scanSync({ cwd: resolve(root), dot: true })]
const bytes = files.reduce((sum, path) => sum + Bun.file(join(resolve(root), path)).size, 0)
console.log(`rootfs: ${files.length} files, ${(bytes / 2 ** 20).toFixed(1)} MiB in ${root}`)
