import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { decodePayload, encodeFrame } from '../../src/protocol/codec.ts';
import type { FrameSink } from '../../src/protocol/decoder.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { LineDecoder } from '../../src/protocol/line-decoder.ts';
import type { Message } from '../../src/protocol/message.ts';
import { seededRandom } from './random.ts';

export interface Damage {
  readonly seed: number;
  readonly frames: number;
  /** Probability that a byte is lost, and that one is invented before it. */
  readonly dropped: number;
  readonly inserted: number;
  /** Probability that a frame follows the one before without a pause. */
  readonly backToBack: number;
  /** Chunks are of 1 to this many bytes. */
  readonly largestChunk: number;
}

export interface Recovery {
  /** Frames that arrived whole, and those of them that were delivered. */
  readonly undamaged: number;
  readonly recovered: number;
  /** Replies delivered where none of that id and length was sent: found while hunting, and while in step. */
  readonly fabricatedHunting: number;
  readonly fabricatedLocked: number;
  /** Replies that were sent, and changed on the way into others that look right. */
  readonly altered: number;
  readonly bytes: number;
}

const MESSAGES: readonly Message[] = [
  {
    name: 'register',
    kind: 'request',
    fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
  },
  { name: 'register', kind: 'reply', error: 0 },
  { name: 'heartbeat', kind: 'request' },
  { name: 'heartbeat', kind: 'reply', error: 0 },
  { name: 'datetime', kind: 'request' },
  { name: 'datetime', kind: 'reply', error: 0, fields: { datetime: '2026-11-21 00:07:36' } },
  { name: 'datetime', kind: 'reply', error: -1, fields: {} },
];

/** A frame that was sent, and what became of it on the line. */
interface Sent {
  /** Where what is left of it begins and ends in the whole stream. */
  readonly from: number;
  readonly to: number;
  readonly intact: boolean;
  readonly hex: string;
}

/** What arrives without a pause. */
interface Burst {
  readonly bytes: number[];
  readonly sent: Sent[];
}

function* bursts(damage: Damage, random: () => number): Generator<Burst> {
  const frames = MESSAGES.map(encodeFrame);
  let offset = 0;
  let burst: Burst = { bytes: [], sent: [] };
  for (let sent = 0; sent < damage.frames; sent++) {
    const frame = frames[Math.floor(random() * frames.length)] ?? new Uint8Array(0);
    let begin = burst.bytes.length;
    let intact = true;
    for (const [index, byte] of frame.entries()) {
      if (random() < damage.inserted) {
        burst.bytes.push(Math.floor(random() * 256));
        // A byte invented before the first one stands between two frames.
        if (index === 0) begin = burst.bytes.length;
        else intact = false;
      }
      if (random() < damage.dropped) intact = false;
      else burst.bytes.push(byte);
    }
    burst.sent.push({
      from: offset + begin,
      to: offset + burst.bytes.length,
      intact,
      hex: hexText(frame),
    });
    if (random() < damage.backToBack) continue;
    offset += burst.bytes.length;
    yield burst;
    burst = { bytes: [], sent: [] };
  }
  yield burst;
}

interface Found {
  readonly at: number;
  readonly reply: boolean;
  readonly hunting: boolean;
  readonly hex: string;
}

/** Knows where in the stream it is, because every byte is in exactly one frame or discard. */
class PlacingSink implements FrameSink {
  offset = 0;
  readonly found: Found[] = [];
  #hunting = true;
  readonly #definition = builtinProtocol();

  frame(bytes: Uint8Array, start: number, end: number): void {
    const message = decodePayload(this.#definition, bytes, start, end);
    const reply = message.kind === 'reply' && message.name !== 'invalid';
    this.found.push({ at: this.offset, reply, hunting: this.#hunting, hex: hexText(bytes, start - 4, end) });
    this.#hunting = false;
    this.offset += 4 + end - start;
  }

  discarded(report: { count: number }): void {
    this.offset += report.count;
    this.#hunting = true;
  }

  fault(): void {
    throw new Error('a line never faults');
  }
}

/** Sends frames over a line that loses and invents bytes, and compares what arrived with what was delivered. */
export function measureRecovery(damage: Damage): Recovery {
  const random = seededRandom(damage.seed);
  const sink = new PlacingSink();
  const decoder = new LineDecoder(builtinProtocol(), sink);
  const sent: Sent[] = [];
  let bytes = 0;
  for (const burst of bursts(damage, random)) {
    sent.push(...burst.sent);
    const all = Uint8Array.from(burst.bytes);
    bytes += all.length;
    for (let at = 0; at < all.length; ) {
      const to = Math.min(all.length, at + 1 + Math.floor(random() * damage.largestChunk));
      decoder.push(all.slice(at, to));
      at = to;
    }
    decoder.idle();
  }
  decoder.close();
  if (sink.offset !== bytes) throw new Error(`${sink.offset} bytes were accounted for, of ${bytes}`);
  return compare(sent, sink.found, bytes);
}

function compare(sent: readonly Sent[], found: readonly Found[], bytes: number): Recovery {
  const whole = new Set(sent.filter((each) => each.intact).map((each) => each.from));
  const wrong = found.filter(
    (each) => each.reply && !whole.has(each.at) && !sentThere(sent, each, sameBytes),
  );
  const fabricated = wrong.filter((each) => !sentThere(sent, each, sameShape));
  return {
    undamaged: whole.size,
    recovered: found.filter((each) => whole.has(each.at)).length,
    fabricatedHunting: fabricated.filter((each) => each.hunting).length,
    fabricatedLocked: fabricated.filter((each) => !each.hunting).length,
    altered: wrong.length - fabricated.length,
    bytes,
  };
}

function sentThere(sent: readonly Sent[], found: Found, alike: (a: string, b: string) => boolean): boolean {
  const end = found.at + found.hex.length / 2;
  return sent.some((each) => alike(each.hex, found.hex) && each.from < end && each.to > found.at);
}

/** These very bytes: what one frame lost and its neighbour lends makes it whole again. */
function sameBytes(a: string, b: string): boolean {
  return a === b;
}

/** The same length and id. */
function sameShape(a: string, b: string): boolean {
  return a.slice(0, 10) === b.slice(0, 10);
}
