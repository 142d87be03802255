/** Patterns that more than one kind of setting uses. */

/** A proxy's address, or nothing; what follows the host would be ignored and is therefore refused. */
export const PROXY_PATTERN = "^((https?|socks5h?)://[^\\s/?#]+/?)?$"
