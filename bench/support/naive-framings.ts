import { findChecksum } from '../../src/protocol/crc/catalogue.ts';
import type { FrameSink } from '../../src/protocol/decoder.ts';

/** Takes chunks, and hands payloads to a sink: how everybody writes it first. */
export type NaiveDecoder = (chunk: Buffer) => void;

function narrow(name: string) {
  const checksum = findChecksum(name);
  if (checksum === undefined || checksum.wide) throw new Error(`no ${name}`);
  return (bytes: Uint8Array) => checksum.finish(checksum.update(checksum.initial, bytes, 0, bytes.length));
}

/** Two bytes of length, least significant first. */
export function naiveLength(sink: FrameSink): NaiveDecoder {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2) {
      const end = 2 + held.readUInt16LE(0);
      if (held.length < end) return;
      sink.frame(held.subarray(2, end), 0, end - 2);
      held = held.subarray(end);
    }
  };
}

/** u-blox UBX. */
export function naiveSync(sink: FrameSink): NaiveDecoder {
  const sum = narrow('fletcher-8-ubx');
  const word = Buffer.from([0xb5, 0x62]);
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const at = held.indexOf(word);
      if (at < 0 || held.length < at + 8) return;
      const end = at + 8 + held.readUInt16LE(at + 4);
      if (held.length < end) return;
      const payload = held.subarray(at + 2, end - 2);
      if (sum(payload) === held.readUInt16BE(end - 2)) {
        sink.frame(payload, 0, payload.length);
        held = held.subarray(end);
      } else held = held.subarray(at + 1);
    }
  };
}

/** SLIP, byte by byte. */
export function naiveSlip(sink: FrameSink): NaiveDecoder {
  let payload: number[] = [];
  let escaped = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (byte === 0xc0) {
        if (payload.length > 0) sink.frame(Buffer.from(payload), 0, payload.length);
        payload = [];
      } else if (escaped) {
        payload.push(byte === 0xdc ? 0xc0 : 0xdb);
        escaped = false;
      } else if (byte === 0xdb) escaped = true;
      else payload.push(byte);
    }
  };
}

/** COBS: gathered byte by byte, then undone. */
export function naiveCobs(sink: FrameSink): NaiveDecoder {
  let raw: number[] = [];
  return (chunk) => {
    for (const byte of chunk) {
      if (byte !== 0) {
        raw.push(byte);
        continue;
      }
      const payload: number[] = [];
      for (let at = 0; at < raw.length; ) {
        const code = raw[at] ?? 0;
        payload.push(...raw.slice(at + 1, at + code));
        at += code;
        if (code < 255 && at < raw.length) payload.push(0);
      }
      sink.frame(Buffer.from(payload), 0, payload.length);
      raw = [];
    }
  };
}

/** Lines. */
export function naiveLines(sink: FrameSink): NaiveDecoder {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
      sink.frame(held.subarray(0, end), 0, end);
      held = held.subarray(end + 2);
    }
  };
}

/** Always so many bytes. */
export function naiveFixed(bytes: number): (sink: FrameSink) => NaiveDecoder {
  return (sink) => {
    let held: Buffer = Buffer.alloc(0);
    return (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (; held.length >= bytes; held = held.subarray(bytes)) sink.frame(held.subarray(0, bytes), 0, bytes);
    };
  };
}
