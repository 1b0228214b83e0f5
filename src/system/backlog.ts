/**
 * Connections that may wait to be accepted, as far as the operating system allows so many. Where there is no room, the
 * other end of one that was cut off there takes itself for connected, and may wait for the first word for a minute: with
 * Node's own 511, a herd that comes back is enough for that.
 */
export const BACKLOG = 4_096;
