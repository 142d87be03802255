/** The deadlines of a takeover, in virtual time over a real socket. */

import { afterEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type HandOverSteps, openDoor } from "#cli/takeover/door.ts"
import { meetPredecessor } from "#cli/takeover/meet-predecessor.ts"
import { makeTenure } from "#cli/takeover/tenure.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A gateway's door, and what it has done. */
function makeDoor(steps: Partial<HandOverSteps> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-door-"))
  folders.push(dataDir)
  const time = makeManualTime()
  const tenure = makeTenure()
  const woken: number[] = []
  const awake = Promise.withResolvers<void>()
  const door = openDoor({
    dataDir,
    version: "old",
    timers: time.timers,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    tenure,
    ready: async () => {},
    steps: {
      rest: async () => {
        tenure.rest()
        return undefined
      },
      wake: async pid => {
        woken.push(pid)
        tenure.resume()
        awake.resolve()
      },
      ports: () => [],
      memories: () => [],
      ...steps,
    },
  })
  return { dataDir, time, tenure, woken, awake: awake.promise, door }
}

/** Knocks at it. */
function knock(dataDir: string) {
  const time = makeManualTime()
  const dismissed = Promise.withResolvers<void>()
  const met = meetPredecessor({ dataDir, version: "new", timers: time.timers, dismissed: dismissed.resolve })
  return { met, time, dismissed: dismissed.promise }
}

test("a successor that does not serve after 30 s is sent away, and the folder is taken back from it", async () => {
  const { dataDir, time, tenure, woken, awake, door } = makeDoor()
  const { met, dismissed } = knock(dataDir)
  const predecessor = await met
  await predecessor?.told
  time.advance(29_999)
  expect(tenure.phase()).toBe("resting")
  expect(woken).toEqual([])
  time.advance(1)
  await dismissed
  await awake
  expect(woken).toEqual([process.pid])
  expect(tenure.phase()).toBe("ours")
  door.close()
})

test("a successor that serves in time is told to go, and is not sent away later", async () => {
  const { dataDir, time, tenure, woken, door } = makeDoor()
  const { met } = knock(dataDir)
  const predecessor = await met
  await predecessor?.listening()
  expect(await door.left).toEqual({ type: "replaced", pid: process.pid })
  time.advance(60_000)
  expect(woken).toEqual([])
  expect(tenure.phase()).toBe("theirs")
  door.close()
  await predecessor?.ended
})

test("a running process that does not let the folder go within 45 s makes its successor give up", async () => {
  const rested = Promise.withResolvers<string>()
  const { dataDir, door } = makeDoor({ rest: () => rested.promise })
  const { met, time } = knock(dataDir)
  while (time.waiting().length === 0) await new Promise<void>(resolve => setImmediate(resolve))
  await time.advanceAsync(44_999)
  expect(time.waiting()).toEqual([1])
  time.advance(1)
  await expect(met).rejects.toThrow("it did not answer in time")
  rested.resolve("it was late")
  door.close()
})

test("a running process that cannot let the folder go says why", async () => {
  const { dataDir, tenure, door } = makeDoor({ rest: async () => "a token is not on the disk" })
  const { met } = knock(dataDir)
  await expect(met).rejects.toThrow("The running gateway does not hand over: a token is not on the disk.")
  await met.catch(() => undefined)
  expect(tenure.phase()).toBe("ours")
  door.close()
})

test("a running process that has let the folder go and is silent then is not waited for longer than 10 s", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-door-"))
  folders.push(dataDir)
  const heard: string[] = []
  const silent = Bun.listen({
    unix: join(dataDir, "takeover.sock"),
    socket: {
      data: (socket, piece) => {
        heard.push(piece.toString())
        if (heard.length === 1) socket.write('{"type":"yours","version":"old","ports":[]}\n')
      },
    },
  })
  const { met, time } = knock(dataDir)
  const predecessor = await met
  let isOver = false
  const listens = async () => {
    await predecessor?.listening()
    isOver = true
  }
  const listening = listens()
  await time.advanceAsync(9_999)
  expect(isOver).toBeFalse()
  time.advance(1)
  await listening
  silent.stop(true)
})
