/** Patterns that more than one kind of setting uses. */

/** An address or a range of addresses; whether its parts make sense is checked where it is read. */
export const ADDRESS_RANGE_PATTERN = "^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$"

/** A proxy's address, or nothing; what follows the host would be ignored and is therefore refused. */
export const PROXY_PATTERN = "^((https?|socks5h?)://[^\\s/?#]+/?)?$"
