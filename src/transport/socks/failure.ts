/** The ways in which a SOCKS proxy does not bring a connection about, told apart. */

/** What went wrong; also the code that logs and errors show. */
export type SocksFailureCode = keyof typeof SOCKS_FAILURES

/**
 * Every failure: whether the proxy is at fault (accounts on it rest) or the target behind it, what clients may read, and what
 * the operator does next. The numbered replies are those of RFC 1928 §6.
 */
export const SOCKS_FAILURES = {
  socks_bridge_failed: {
    egressAtFault: true,
    message: "The way to the SOCKS proxy could not be set up on this machine.",
    hint: "Look for limits on open files and for what keeps Sluice from listening on 127.0.0.1.",
  },
  socks_proxy_unreachable: {
    egressAtFault: true,
    message: "The SOCKS proxy towards the upstream cannot be reached.",
    hint: "Check that the proxy runs and that its host and port are right.",
  },
  socks_proxy_silent: {
    egressAtFault: true,
    message: "The SOCKS proxy towards the upstream does not answer.",
    hint: "Check that the proxy runs and that the port speaks SOCKS5.",
  },
  socks_not_spoken: {
    egressAtFault: true,
    message: "The proxy towards the upstream does not speak SOCKS5.",
    hint: "Check the port, or write http:// for an HTTP proxy.",
  },
  socks_login_required: {
    egressAtFault: true,
    message: "The SOCKS proxy towards the upstream asks for a login it was not given.",
    hint: "Write the proxy as socks5h://user:password@host:port.",
  },
  socks_login_refused: {
    egressAtFault: true,
    message: "The SOCKS proxy towards the upstream refused the login.",
    hint: "Check user name and password of the proxy; write reserved characters percent-encoded.",
  },
  socks_proxy_failed: {
    egressAtFault: true,
    message: "The SOCKS proxy towards the upstream failed.",
    hint: "Look into the proxy's own log.",
  },
  socks_not_allowed: {
    egressAtFault: true,
    message: "The SOCKS proxy does not allow connections to the upstream.",
    hint: "Allow the upstream in the proxy's rules.",
  },
  socks_not_supported: {
    egressAtFault: true,
    message: "The SOCKS proxy cannot make this kind of connection.",
    hint: "Try socks5h instead of socks5, so that the proxy resolves names itself.",
  },
  socks_target_unreachable: {
    egressAtFault: false,
    message: "The upstream could not be reached from the SOCKS proxy.",
    hint: "Check from the proxy's machine whether the upstream answers.",
  },
  socks_target_silent: {
    egressAtFault: false,
    message: "The SOCKS proxy did not reach the upstream in time.",
    hint: "Check from the proxy's machine whether the upstream answers.",
  },
  socks_name_unknown: {
    egressAtFault: false,
    message: "The upstream's name could not be resolved here.",
    hint: "Check this machine's DNS, or write socks5h so that the proxy resolves names.",
  },
} as const

/** Names the failure in the bridge's own answers. */
export const FAILURE_HEADER = "x-sluice-way-out"

/** Thrown inside the bridge only. It keeps no cause and no address: a login must not travel in an error. */
export class SocksFailure extends Error {
  override readonly name = "SocksFailure"
  readonly code: SocksFailureCode

  constructor(code: SocksFailureCode) {
    super(code)
    this.code = code
  }
}

/** Whether a text is a code of the table. */
export function isSocksFailureCode(text: string): text is SocksFailureCode {
  return Object.hasOwn(SOCKS_FAILURES, text)
}

/** Reply fields of RFC 1928 §6 from 1 on; what lies above is not assigned. */
const REPLIES: readonly SocksFailureCode[] = [
  "socks_proxy_failed",
  "socks_not_allowed",
  "socks_target_unreachable",
  "socks_target_unreachable",
  "socks_target_unreachable",
  "socks_target_silent",
  "socks_not_supported",
  "socks_not_supported",
]

/** Names a reply other than 0, which means success. */
export function failureOfReply(reply: number): SocksFailureCode {
  return REPLIES[reply - 1] ?? "socks_proxy_failed"
}
