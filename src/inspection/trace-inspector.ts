import { type FrameReading, FrameSplitter, frameReading } from '../capture/index.ts';
import { framingNeedsSilence, framingOf } from '../devices/index.ts';
import {
  Assembler,
  builtinDeclaration,
  DeclaredProtocol,
  HelloCodec,
  withBuiltin,
} from '../protocol/index.ts';
import { formatExpectation, type TraceEvent, type TraceHead } from '../trace/index.ts';
import type { Direction, Inspected, Meaning } from './inspected.ts';
import { ReplyPairing } from './reply-pairing.ts';

/** How long a reply may be on its way where nothing says it, in microseconds. */
const REPLY_WINDOW_US = 5_000_000;

/** What the splitter is about to report. */
interface Decoded {
  payload: Uint8Array;
  framing: string | undefined;
  meaning: Meaning;
}

interface Connection {
  readonly pairing: ReplyPairing;
  readonly in: FrameSplitter;
  readonly out: FrameSplitter;
  readonly groups: Assembler;
  readonly decoded: Readonly<Record<Direction, Decoded[]>>;
  /** The first bytes of the device, while they may be a hello. */
  hello: Uint8Array | undefined;
  atUs: number;
}

const isBare = ({ meta }: TraceHead): boolean => meta.session === 'none' || meta.session === 'declared';

/** Whether frames of a trace end with silence. */
export const needsSilence = (head: TraceHead, messages: DeclaredProtocol | undefined): boolean =>
  framingNeedsSilence(framingOf({ builtin: !isBare(head), messages }));

/** The messages with which a trace is read: those declared, and the built-in ones where the session has them. */
export function protocolOf(head: TraceHead, messages: DeclaredProtocol | undefined): DeclaredProtocol {
  const identity = head.meta.identity === 'any' ? 'any' : 'standard';
  if (messages === undefined) return new DeclaredProtocol(builtinDeclaration(identity));
  return isBare(head) ? messages : new DeclaredProtocol(withBuiltin(messages.declaration));
}

/**
 * Turns the chunks of a trace, or of a live link, into frames with their meaning; no byte is lost. What a reply answers
 * follows from the requests of its connection.
 */
export class TraceInspector {
  readonly protocol: DeclaredProtocol;
  readonly #readings: Readonly<Record<Direction, FrameReading>>;
  readonly #connections = new Map<string, Connection>();
  readonly #hello: HelloCodec | undefined;
  readonly #needsSilence: boolean;
  #lastUs = 0;

  constructor(head: TraceHead, messages?: DeclaredProtocol) {
    this.protocol = protocolOf(head, messages);
    this.#readings = { in: frameReading(head, messages, 'in'), out: frameReading(head, messages, 'out') };
    this.#needsSilence = needsSilence(head, messages);
    this.#hello = messages && HelloCodec.of(messages.declaration);
  }

  take({ atUs, connection, fact }: TraceEvent): readonly Inspected[] {
    this.#lastUs = atUs;
    switch (fact.kind) {
      case 'in':
      case 'out':
        return this.#bytes(connection, fact.kind, fact.bytes, atUs);
      case 'life': {
        const { word, detail } = fact;
        const own: Inspected = { kind: 'life', atUs, connection, word, detail };
        if (word === 'idle') return [...this.#each(connection, atUs, (splitter) => splitter.idle()), own];
        if (word !== 'close' && word !== 'error') return [own];
        return [...this.close(connection, atUs), own];
      }
      case 'note':
        return [{ kind: 'note', atUs, connection, word: 'note', detail: fact.text }];
      case 'expect':
        return [
          { kind: 'note', atUs, connection, word: 'expect', detail: formatExpectation(fact.expectation) },
        ];
    }
  }

  /** A connection is over, or some of its bytes were lost: what is left of frames. */
  close(connection: string, atUs = this.#lastUs): readonly Inspected[] {
    const rest = this.#each(connection, atUs, (splitter) => splitter.close());
    this.#connections.delete(connection);
    return rest;
  }

  finish(): readonly Inspected[] {
    return [...this.#connections.keys()].flatMap((connection) => this.close(connection));
  }

  #bytes(name: string, direction: Direction, bytes: Uint8Array, atUs: number): readonly Inspected[] {
    const known = this.#of(name);
    known.atUs = atUs;
    // A burst is over where the other side begins to talk.
    const other = direction === 'in' ? 'out' : 'in';
    const over = this.#needsSilence ? this.#reported(name, other, known[other].idle(), atUs) : [];
    return [...over, ...this.#take(name, known, direction, bytes, atUs)];
  }

  #take(
    name: string,
    known: Connection,
    direction: Direction,
    bytes: Uint8Array,
    atUs: number,
  ): readonly Inspected[] {
    if (known.hello === undefined || this.#hello === undefined || direction === 'out') {
      return this.#reported(name, direction, known[direction].push(bytes), atUs);
    }
    const front = joined(known.hello, bytes);
    const found = this.#hello.read(front);
    if (found.kind === 'more') {
      known.hello = front;
      return [];
    }
    known.hello = undefined;
    if (found.kind === 'none') return this.#reported(name, direction, known.in.push(front), atUs);
    const hello = front.slice(0, found.end);
    const rest = known.in.push(front.subarray(found.end));
    return [
      {
        kind: 'frame',
        atUs,
        connection: name,
        direction,
        bytes: hello,
        payload: hello,
        framing: undefined,
        meaning: found.message,
      },
      ...this.#reported(name, direction, rest, atUs),
    ];
  }

  #each(
    name: string,
    atUs: number,
    ask: (splitter: FrameSplitter) => ReturnType<FrameSplitter['push']>,
  ): readonly Inspected[] {
    const known = this.#connections.get(name);
    if (known === undefined) return [];
    known.atUs = atUs;
    const held = known.hello ?? new Uint8Array(0);
    known.hello = undefined;
    const begun = held.length > 0 ? this.#reported(name, 'in', known.in.push(held), atUs) : [];
    return [
      ...begun,
      ...(['in', 'out'] as const).flatMap((direction) =>
        this.#reported(name, direction, ask(known[direction]), atUs),
      ),
    ];
  }

  #reported(
    connection: string,
    direction: Direction,
    frames: ReturnType<FrameSplitter['push']>,
    atUs: number,
  ): readonly Inspected[] {
    const known = this.#connections.get(connection);
    const decoded = known?.decoded[direction].splice(0) ?? [];
    let next = 0;
    return frames.flatMap((frame): readonly Inspected[] => {
      const at = { atUs, connection, direction };
      if (frame.kind === 'discarded') {
        if (direction === 'in') known?.groups.interrupt();
        return [{ ...at, ...frame }];
      }
      const found = decoded[next++];
      if (found === undefined) return [];
      const whole: Inspected = { ...at, kind: 'frame', bytes: frame.bytes, ...found };
      const part =
        direction === 'in' && found.meaning.name === 'declared'
          ? known?.groups.take(found.meaning, atUs / 1_000)
          : undefined;
      const made = [part?.incomplete, part?.group].filter((each) => each !== undefined);
      return [whole, ...made.map((meaning): Inspected => ({ ...at, kind: 'group', meaning }))];
    });
  }

  #of(name: string): Connection {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const pairing = new ReplyPairing(this.protocol, REPLY_WINDOW_US);
    const made: Connection = {
      pairing,
      in: new FrameSplitter(
        this.#noting('in', () => made),
        (message) => pairing.awaits(message),
      ),
      // What we send begins with a whole frame.
      out: new FrameSplitter(
        this.#noting('out', () => made),
        () => true,
      ),
      groups: new Assembler(this.protocol.declaration, { joins: true }),
      decoded: { in: [], out: [] },
      hello: this.#hello === undefined ? undefined : new Uint8Array(0),
      atUs: 0,
    };
    this.#connections.set(name, made);
    return made;
  }

  /** Decodes with what was asked, and keeps the payload of each frame. */
  #noting(direction: Direction, of: () => Connection): FrameReading {
    const from = direction === 'in' ? 'device' : 'host';
    return {
      ...this.#readings[direction],
      decode: (bytes, start, end, framing) => {
        const { pairing, decoded, atUs } = of();
        const meaning = pairing.decode(bytes, start, end, from, framing, atUs);
        decoded[direction].push({ payload: bytes.slice(start, end), framing, meaning });
        // The splitter hands on what it is given, whatever it says.
        return meaning.name === 'echo'
          ? { name: 'unknown', kind: 'unknown', payload: meaning.payload }
          : meaning;
      },
    };
  }
}

function joined(front: Uint8Array, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(front.length + bytes.length);
  all.set(front);
  all.set(bytes, front.length);
  return all;
}
