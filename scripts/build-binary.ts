/** Compiles Sluice into one executable file per target, with checksums: `bun scripts/build-binary.ts --help`. */

import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"

import manifest from "../package.json" with { type: "json" }

type Target = {
  /** `@oven/bun-<runtime>`, the registry package that carries Bun for this target. */
  readonly runtime: string
  readonly os: string
  readonly cpu: string
  readonly compileTarget: Bun.Build.CompileTarget
  /** First bytes of an executable of this system, in hex. */
  readonly magic: string
}

const ELF = "7f454c46"
const MACH_O = "cffaedfe"
const PE = "4d5a"

// Bun has one x64 build for every processor with SSE4.2; there is no separate baseline build.
const TARGETS = {
  "linux-x64": { runtime: "linux-x64", os: "linux", cpu: "x64", compileTarget: "bun-linux-x64", magic: ELF },
  "linux-arm64": { runtime: "linux-aarch64", os: "linux", cpu: "arm64", compileTarget: "bun-linux-arm64", magic: ELF },
  "linux-x64-musl": {
    runtime: "linux-x64-musl",
    os: "linux",
    cpu: "x64",
    compileTarget: "bun-linux-x64-musl",
    magic: ELF,
  },
  "linux-arm64-musl": {
    runtime: "linux-aarch64-musl",
    os: "linux",
    cpu: "arm64",
    compileTarget: "bun-linux-arm64-musl",
    magic: ELF,
  },
  "darwin-x64": { runtime: "darwin-x64", os: "darwin", cpu: "x64", compileTarget: "bun-darwin-x64", magic: MACH_O },
  "darwin-arm64": {
    runtime: "darwin-aarch64",
    os: "darwin",
    cpu: "arm64",
    compileTarget: "bun-darwin-arm64",
    magic: MACH_O,
  },
  "windows-x64": { runtime: "windows-x64", os: "win32", cpu: "x64", compileTarget: "bun-windows-x64", magic: PE },
} as const satisfies Record<string, Target>

type TargetName = keyof typeof TARGETS

type Built = {
  readonly target: TargetName
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly elapsedMs: number
}

const HELP = `Usage: bun scripts/build-binary.ts [flags]

  --all              build every target
  --target NAME      build this target; may be repeated (default: this machine)
  --entry PATH       entry file (default: src/main.ts)
  --outdir PATH      where the files go (default: dist)
  --json             print the result as one JSON array instead of progress lines

Targets: ${Object.keys(TARGETS).join(", ")}
Runtimes of other targets come from the npm registry, once, into the cache folder.
`

const root = resolve(import.meta.dir, "..")

function isTarget(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name)
}

/** Returns the target of the machine this script runs on. */
function hostTarget(): TargetName {
  const os = process.platform === "win32" ? "windows" : process.platform
  const libc =
    process.platform === "linux" && existsSync(`/lib/ld-musl-${muslArch()}.so.1`) && !hasGlibc() ? "-musl" : ""
  const name = `${os}-${process.arch}${libc}`
  if (!isTarget(name)) throw new Error(`no target for this machine (${name}); name one with --target`)
  return name
}

function muslArch(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64"
}

function hasGlibc(): boolean {
  // Only a glibc build of Bun reports the glibc it runs on.
  const report: unknown = process.report?.getReport()
  return JSON.stringify(report ?? {}).includes("glibcVersionRuntime")
}

/** Returns the path of Bun for `target`, fetched into the cache when it is not there yet. */
async function runtimeFor(target: Target): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sluice")
  const home = join(cache, `runtime-${target.runtime}-${Bun.version}`)
  const file = join("node_modules", "@oven", `bun-${target.runtime}`, "bin", target.os === "win32" ? "bun.exe" : "bun")
  if (existsSync(join(home, file))) return join(home, file)

  mkdirSync(cache, { recursive: true })
  const scratch = mkdtempSync(join(cache, "runtime-"))
  try {
    await Bun.write(join(scratch, "package.json"), '{"name":"sluice-runtime","private":true}\n')
    const wanted = `@oven/bun-${target.runtime}@${Bun.version}`
    const flags = ["--ignore-scripts", "--no-save", `--os=${target.os}`, `--cpu=${target.cpu}`]
    const add = Bun.spawn([process.execPath, "add", ...flags, wanted], { cwd: scratch, stdout: "pipe", stderr: "pipe" })
    const [output, code] = await Promise.all([new Response(add.stderr).text(), add.exited])
    if (code !== 0 || !existsSync(join(scratch, file))) throw new Error(`cannot fetch ${wanted}\n${output}`)
    // Another build may have finished first; a folder that is already there is the same one.
    if (!existsSync(home)) renameSync(scratch, home)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return join(home, file)
}

/** Returns the commit the tree stands at, `unknown` outside a repository; `-dirty` marks uncommitted changes. */
function readCommit(): string {
  const given = process.env["SLUICE_COMMIT"]
  if (given !== undefined && given !== "") return given
  try {
    const git = Bun.spawnSync(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], { cwd: root })
    return git.success ? git.stdout.toString().trim() : "unknown"
  } catch {
    // No git on this machine: the version alone has to do.
    return "unknown"
  }
}

type BuildPlan = {
  readonly entry: string
  readonly outdir: string
  readonly host: TargetName
  readonly commit: string
}

/** Only Sluice itself has the thread; other entries are compiled for measurements. */
const THREADS = ["gateway/tokens/token-worker.ts", "store/backup-worker.ts", "relay/thread/relay-worker.ts"]

function threads({ entry }: BuildPlan): readonly string[] {
  return THREADS.map(file => join(dirname(entry), file)).filter(existsSync)
}

async function buildTarget(name: TargetName, plan: BuildPlan): Promise<Built> {
  const startedAtNs = Bun.nanoseconds()
  const target: Target = TARGETS[name]
  const outfile = join(plan.outdir, `sluice-${name}${target.os === "win32" ? ".exe" : ""}`)
  const result = await Bun.build({
    // A thread lies in the binary as a file of its own, named by its path below the entry.
    entrypoints: [plan.entry, ...threads(plan)],
    target: "bun",
    // Bytecode needs ESM here; together they cut a cold start from 65 to 24 ms.
    format: "esm",
    bytecode: true,
    // Commands, and what only some of them need, lie in pieces of their own: `serve` loads its own, a tenth sooner.
    splitting: true,
    minify: true,
    // Lies compressed inside the executable and costs no start time; stack traces name the source lines.
    sourcemap: "linked",
    define: {
      SLUICE_VERSION: JSON.stringify(manifest.version),
      SLUICE_COMMIT: JSON.stringify(plan.commit),
      "process.env.NODE_ENV": JSON.stringify("production"),
    },
    compile: {
      outfile,
      ...(name === plan.host ? {} : { target: target.compileTarget, executablePath: await runtimeFor(target) }),
      // The folder it is started in must not change what the binary does.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  })
  for (const output of result.outputs) if (output.kind === "sourcemap") rmSync(output.path, { force: true })
  const bytes = new Uint8Array(await Bun.file(outfile).arrayBuffer())
  if (!bytes.subarray(0, 4).toHex().startsWith(target.magic))
    throw new Error(`${outfile} is no ${target.os} executable`)
  return {
    target: name,
    path: outfile,
    bytes: bytes.length,
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    elapsedMs: Math.round((Bun.nanoseconds() - startedAtNs) / 1e6),
  }
}

/** Puts the host's binary at `<outdir>/sluice` as well, without a second copy where the disk allows it. */
function linkHostBinary(built: Built, outdir: string): void {
  const short = join(outdir, built.path.endsWith(".exe") ? "sluice.exe" : "sluice")
  rmSync(short, { force: true })
  try {
    linkSync(built.path, short)
  } catch {
    // Some file systems have no hard links.
    copyFileSync(built.path, short)
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      all: { type: "boolean", default: false },
      target: { type: "string", multiple: true, default: [] },
      entry: { type: "string", default: join(root, "src", "main.ts") },
      outdir: { type: "string", default: join(root, "dist") },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const unknown = values.target.find(name => !isTarget(name))
  if (unknown !== undefined) throw new Error(`unknown target ${unknown}; known: ${Object.keys(TARGETS).join(", ")}`)

  const host = hostTarget()
  const named = values.target.filter(isTarget)
  const names = values.all ? Object.keys(TARGETS).filter(isTarget) : named.length > 0 ? named : [host]
  const plan = { entry: resolve(values.entry), outdir: resolve(values.outdir), host, commit: readCommit() }
  mkdirSync(plan.outdir, { recursive: true })
  const built: Built[] = []
  for (const [index, name] of names.entries()) {
    const one = await buildTarget(name, plan)
    built.push(one)
    if (name === host) linkHostBinary(one, plan.outdir)
    const size = `${(one.bytes / 2 ** 20).toFixed(1)} MiB`
    if (!values.json) console.log(`[${index + 1}/${names.length}] ${name}  ${size}  ${one.elapsedMs} ms  ${one.path}`)
  }
  const sums = built.map(one => `${one.sha256}  ${one.path.slice(plan.outdir.length + 1)}\n`)
  await Bun.write(join(plan.outdir, "SHA256SUMS"), sums.join(""))
  if (values.json) console.log(JSON.stringify(built))
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof AggregateError) for (const one of error.errors) console.error(one)
  process.exitCode = 1
}
