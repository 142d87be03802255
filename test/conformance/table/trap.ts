/** A proxy on the loopback that lets nothing through and remembers where its users wanted to go. */

/** One trap. */
export type Trap = { readonly url: string; readonly hosts: () => readonly string[]; readonly stop: () => void }

/** Opens a trap. */
export function openTrap(): Trap {
  const hosts = new Set<string>()
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket, bytes) => {
        const [, target] = /^[A-Z]+ (\S+) HTTP/.exec(bytes.toString("latin1")) ?? []
        if (target !== undefined) hosts.add(hostOf(target))
        socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
      },
    },
  })
  return {
    url: `http://127.0.0.1:${listener.port}`,
    hosts: () => [...hosts].sort(),
    stop: () => listener.stop(true),
  }
}

/** `CONNECT` names host and port, everything else a whole address. */
function hostOf(target: string): string {
  return target.includes("://") ? new URL(target).hostname : target.replace(/:\d+$/, "")
}
