import type { SerialSettings } from '../serial-address.ts';
import {
  ANSWER,
  baudBytes,
  COMMAND,
  CONTROL,
  dataBitsByte,
  orderBytes,
  parityByte,
  stopBitsByte,
} from './com-port.ts';
import {
  BINARY,
  COM_PORT,
  command,
  DO,
  DONT,
  escaped,
  SUPPRESS_GO_AHEAD,
  TelnetReader,
  WILL,
  WONT,
} from './telnet.ts';

export interface ComPortServerHandlers {
  send(bytes: Uint8Array): void;
  /** Bytes for the line. */
  data(bytes: Uint8Array): void;
}

const WANTED: readonly number[] = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];
const SIGNATURE = [...new TextEncoder().encode('Heartwire')];
/** What is said of a modem line or a flow control that is asked for, by the question. */
const STATE: Readonly<Record<number, number>> = {
  0: CONTROL.flowNone,
  4: 6,
  7: CONTROL.dtrOn,
  10: CONTROL.rtsOn,
  13: 14,
};

/**
 * The server's side of RFC 2217 for one program. The line belongs to the bridge: a program that asks for other settings
 * is answered with those that it has, as the standard wants it. Modem lines are confirmed and left as they are.
 */
export class ComPortServer {
  readonly #settings: SerialSettings | undefined;
  readonly #handlers: ComPortServerHandlers;
  readonly #reader: TelnetReader;
  readonly #answered = new Set<string>();
  /** Asked for where the settings of the line are not known. */
  readonly #asked = new Map<number, readonly number[]>();

  constructor(settings: SerialSettings | undefined, handlers: ComPortServerHandlers) {
    this.#settings = settings;
    this.#handlers = handlers;
    this.#reader = new TelnetReader({
      data: (bytes) => handlers.data(bytes),
      command: (verb, option) => this.#command(verb, option),
      subnegotiation: (option, bytes) => {
        if (option === COM_PORT) this.#ordered(bytes);
      },
    });
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** Bytes of the line. */
  write(bytes: Uint8Array): void {
    this.#handlers.send(escaped(bytes));
  }

  #command(verb: number, option: number): void {
    if (verb !== DO && verb !== WILL) return;
    // Each offer is answered once, so that no two programs answer each other for ever.
    const key = `${verb} ${option}`;
    if (this.#answered.has(key)) return;
    this.#answered.add(key);
    const wanted = WANTED.includes(option);
    const answer = verb === DO ? (wanted ? WILL : WONT) : wanted ? DO : DONT;
    this.#handlers.send(command(answer, option));
  }

  #ordered(bytes: Uint8Array): void {
    const [code, ...value] = bytes;
    if (code === undefined || code >= ANSWER) return;
    if (code === COMMAND.signature) {
      if (value.length === 0) this.#answer(code, SIGNATURE);
      return;
    }
    if (code === COMMAND.suspend || code === COMMAND.resume) return;
    if (code === COMMAND.control) {
      const [asked = 0] = value;
      return this.#answer(code, [STATE[asked] ?? asked]);
    }
    this.#answer(code, this.#ofLine(code) ?? this.#remembered(code, value));
  }

  #ofLine(code: number): readonly number[] | undefined {
    const settings = this.#settings;
    if (settings === undefined) return undefined;
    switch (code) {
      case COMMAND.baud:
        return baudBytes(settings.baud);
      case COMMAND.dataBits:
        return [dataBitsByte(settings)];
      case COMMAND.parity:
        return [parityByte(settings)];
      case COMMAND.stopBits:
        return [stopBitsByte(settings)];
      default:
        return undefined;
    }
  }

  #remembered(code: number, value: readonly number[]): readonly number[] {
    if (value.some((byte) => byte !== 0)) this.#asked.set(code, value);
    return this.#asked.get(code) ?? value;
  }

  #answer(code: number, bytes: readonly number[]): void {
    this.#handlers.send(orderBytes({ command: code + ANSWER, bytes }));
  }
}
