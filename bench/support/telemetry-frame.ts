/** Servers that pass on what a device says, beside the real program. */
export type RivalKind = 'ws' | 'net' | 'uws' | 'relay' | 'padded';

/** The device of bench/fan-out and bench/relay. */
export const DEVICE = '490154203237518';

/** Its frame, of which the uptime grows. */
export const FRAME = Buffer.from('0000000d10000f424007d028012ee00020', 'hex');
export const COUNTER_AT = 5;

/** The event of this frame as the feed writes it, before and behind the uptime. */
export const BEFORE = `{"type":"event","id":"r4711.gqK7XE","timestamp":1796071931347,"payload":{"topic":"devices/${DEVICE}/messages","epoch":"gqK7XEWGPo32dU-_","rev":4711,"seq":1024,"data":{"at":1796071931346,"message":"telemetry","kind":"notice","fields":{"uptime":`;
export const AFTER = ',"temperature":20,"humidity":40,"mode":"heating","voltage":12,"current":32}}}}';

/** An event as a WebSocket frame, in bytes, the uptime of seven digits included. */
export const EVENT_BYTES = 4 + BEFORE.length + 7 + AFTER.length;

/** The number of the n-th whole frame of a chunk. */
export const counterOf = (chunk: Buffer, nth: number): number =>
  chunk.readUInt32BE(nth * FRAME.length + COUNTER_AT);
