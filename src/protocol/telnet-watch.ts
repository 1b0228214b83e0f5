import type { FrameDecoder, FrameSink, LineRemark } from './decoder.ts';
import { startsTelnet, telnetInWords } from './intruder.ts';
import { LinearBuffer } from './linear-buffer.ts';

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

const MEND =
  'set the port of the serial server to raw TCP, without telnet and without RFC 2217; until then every frame with an ff byte is lost';

/**
 * Recognises a serial server in telnet mode, whatever frames it carries: by the negotiation with which it begins, or
 * because the last bytes hold more frames when each `ff ff` is read as `ff`, as telnet writes it.
 */
export class TelnetWatch {
  readonly #makeDecoder: (sink: FrameSink) => FrameDecoder;
  readonly #window = new LinearBuffer();
  #received = 0;
  #looks = 0;
  #known = false;

  constructor(makeDecoder: (sink: FrameSink) => FrameDecoder) {
    this.#makeDecoder = makeDecoder;
  }

  /** Takes bytes as they came; what they say of the line, the first time that they do. */
  received(chunk: Uint8Array): LineRemark | undefined {
    if (this.#known) return undefined;
    const isBeginning = this.#received < WINDOW_BYTES;
    this.#received += chunk.length;
    this.#window.append(chunk, Math.max(0, chunk.length - WINDOW_BYTES));
    if (this.#window.length > WINDOW_BYTES) this.#window.consumeTo(this.#window.tail - WINDOW_BYTES);
    if (!isBeginning) return undefined;
    const { bytes, head, tail } = this.#window;
    let at = head;
    let count = 0;
    while (negotiates(bytes, at, tail)) {
      at += NEGOTIATION_BYTES;
      count++;
    }
    // A single one is a negotiation where the server waits for the answer.
    if (count >= SURE_NEGOTIATIONS || (count === 1 && at === tail)) return this.#found(bytes, head, tail);
    return undefined;
  }

  /** Bytes were set aside: what that says of the line, the first time that it does. */
  discarded(sample: Uint8Array): LineRemark | undefined {
    if (this.#known) return undefined;
    if (negotiates(sample, 0, sample.length)) return this.#found(sample, 0, sample.length);
    const { bytes, head, tail } = this.#window;
    const raw = bytes.slice(head, tail);
    const plain = withoutTelnet(raw);
    if (plain.length === raw.length || this.#looks >= MOST_LOOKS) return undefined;
    this.#looks++;
    if (this.#framesIn(plain) <= this.#framesIn(raw)) return undefined;
    this.#known = true;
    return { reason: 'telnet', detail: `telnet, which doubles every ff byte; ${MEND}` };
  }

  #found(bytes: Uint8Array, start: number, end: number): LineRemark {
    this.#known = true;
    const words = telnetInWords(bytes, start, end);
    return { reason: 'telnet', detail: `a telnet negotiation: ${words}; ${MEND}` };
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
