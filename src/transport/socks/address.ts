/** What a socks5:// or socks5h:// address says: where the proxy is, who resolves names, and the login. */

/** A SOCKS5 proxy as configured. */
export type SocksAddress = {
  /** Scheme, host and port without credentials; safe to log. */
  readonly shown: string
  readonly host: string
  readonly port: number
  /** `here`: this machine resolves names (`socks5`); `proxy`: the proxy does (`socks5h`), and no query leaves this machine. */
  readonly resolves: "here" | "proxy"
  readonly login: SocksLogin | undefined
}

/** User name and password as RFC 1929 sends them, already encoded. */
export type SocksLogin = { readonly user: Uint8Array; readonly password: Uint8Array }

/** Port of SOCKS proxies that name none (RFC 1928). */
const STANDARD_PORT = 1080

/** RFC 1929 gives each a length of one byte. */
const MAX_LOGIN_BYTES = 255

/** Why an address cannot be used, in words that hold nothing of it. */
export type SocksAddressProblem = { readonly problem: string; readonly hint: string }

/** Reads an address whose scheme is `socks5:` or `socks5h:`; `user` and `password` are its credentials, decoded. */
export function readSocksAddress(url: URL, user: string, password: string): SocksAddress | SocksAddressProblem {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  if (host === "")
    return { problem: "The proxy URL names no host.", hint: "Write it as socks5h://user:password@host:port." }
  const login = { user: Buffer.from(user), password: Buffer.from(password) }
  const isAnonymous = user === "" && password === ""
  if (!isAnonymous && (login.user.length === 0 || login.user.length > MAX_LOGIN_BYTES)) return LOGIN_LENGTH
  if (login.password.length > MAX_LOGIN_BYTES) return LOGIN_LENGTH
  return {
    shown: `${url.protocol}//${url.host}`,
    host,
    port: url.port === "" ? STANDARD_PORT : Number(url.port),
    resolves: url.protocol === "socks5h:" ? "proxy" : "here",
    login: isAnonymous ? undefined : login,
  }
}

const LOGIN_LENGTH: SocksAddressProblem = {
  problem: "A SOCKS proxy takes a user name of 1 to 255 bytes and a password of up to 255.",
  hint: "Correct the user name and the password in proxy-url.",
}
