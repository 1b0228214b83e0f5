import type { FrameDecoder, FrameSink, LineRemark } from './decoder.ts';
import { startsTelnet, telnetInWords } from './foreign-protocol.ts';

const NO_BYTES = new Uint8Array(0);
const IAC = 0xff;
const NEGOTIATION_BYTES = 3;
/** Negotiations that a link must begin with, where frames may begin so too. */
const SURE_NEGOTIATIONS = 2;
/** Options of telnet that are in use are below it. */
const OPTIONS = 50;
/** So much of what came last is looked at. */
const WINDOW_BYTES = 512;
/** So often on one link the window is read in both ways. */
const MOST_LOOKS = 16;

const FIX =
  'set the port of the serial server to raw TCP, without telnet and without RFC 2217; until then every frame with an ff byte is lost';

/**
 * Recognises a serial server in telnet mode, whatever frames it carries: by the negotiation with which it begins, or
 * because the last bytes hold more frames when each `ff ff` is read as `ff`, as telnet writes it.
 */
export class TelnetWatch {
  readonly #makeDecoder: (sink: FrameSink) => FrameDecoder;
  /** What came last, as long as there was an `ff ff` in it: a link without one keeps nothing. */
  #window: Uint8Array = NO_BYTES;
  /** Bytes since the last `ff ff`. */
  #plain = 0;
  #last = 0;
  #begun = false;
  #looks = 0;
  #known = false;

  constructor(makeDecoder: (sink: FrameSink) => FrameDecoder) {
    this.#makeDecoder = makeDecoder;
  }

  /** Takes bytes as they came; what they say of the line, the first time that they do. */
  received(chunk: Uint8Array): LineRemark | undefined {
    if (this.#known) return undefined;
    if (!this.#begun) {
      this.#begun = true;
      let at = 0;
      while (negotiates(chunk, at, chunk.length)) at += NEGOTIATION_BYTES;
      const count = at / NEGOTIATION_BYTES;
      // A single one is a negotiation where the server waits for the answer.
      if (count >= SURE_NEGOTIATIONS || (count === 1 && at === chunk.length)) return this.#found(chunk);
    }
    this.#keep(chunk);
    return undefined;
  }

  #keep(chunk: Uint8Array): void {
    const doubled = holdsDoubled(chunk, this.#last);
    this.#last = chunk.at(-1) ?? this.#last;
    if (!doubled && this.#window.length === 0) return;
    this.#plain = doubled ? 0 : this.#plain + chunk.length;
    if (this.#plain > WINDOW_BYTES) {
      this.#window = NO_BYTES;
      return;
    }
    const recent = chunk.subarray(-WINDOW_BYTES);
    const before = this.#window.subarray(Math.max(0, this.#window.length + recent.length - WINDOW_BYTES));
    const next = new Uint8Array(before.length + recent.length);
    next.set(before);
    next.set(recent, before.length);
    this.#window = next;
  }

  /** Bytes were set aside: what that says of the line, the first time that it does. */
  discarded(sample: Uint8Array): LineRemark | undefined {
    if (this.#known) return undefined;
    if (negotiates(sample, 0, sample.length)) return this.#found(sample);
    const raw = this.#window;
    const plain = withoutTelnet(raw);
    if (plain.length === raw.length || this.#looks >= MOST_LOOKS) return undefined;
    this.#looks++;
    if (this.#framesIn(plain) <= this.#framesIn(raw)) return undefined;
    this.#known = true;
    return { reason: 'telnet', detail: `telnet, which doubles every ff byte; ${FIX}` };
  }

  #found(bytes: Uint8Array): LineRemark {
    this.#known = true;
    this.#window = NO_BYTES;
    const words = telnetInWords(bytes, 0, bytes.length);
    return { reason: 'telnet', detail: `a telnet negotiation: ${words}; ${FIX}` };
  }

  #framesIn(bytes: Uint8Array): number {
    let count = 0;
    const decoder = this.#makeDecoder({ frame: () => void count++, discarded() {}, fault() {} });
    decoder.push(bytes);
    decoder.idle();
    decoder.close();
    return count;
  }
}

function negotiates(bytes: Uint8Array, at: number, tail: number): boolean {
  return startsTelnet(bytes, at, tail) && (bytes[at + 2] ?? OPTIONS) < OPTIONS;
}

/** Whether an `ff ff` ends in these bytes; `last` came before them. */
function holdsDoubled(bytes: Uint8Array, last: number): boolean {
  if (last === IAC && bytes[0] === IAC) return true;
  for (let at = bytes.indexOf(IAC); at >= 0; at = bytes.indexOf(IAC, at + 1)) {
    if (bytes[at + 1] === IAC) return true;
  }
  return false;
}

/** The data that telnet carries, without its commands. */
function withoutTelnet(bytes: Uint8Array): Uint8Array {
  const data: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    if (negotiates(bytes, at, bytes.length)) {
      at += NEGOTIATION_BYTES - 1;
      continue;
    }
    if (bytes[at] === IAC && bytes[at + 1] === IAC) at++;
    data.push(bytes[at] ?? 0);
  }
  return Uint8Array.from(data);
}
