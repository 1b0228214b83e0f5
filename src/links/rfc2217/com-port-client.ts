import type { LinkEnd } from '../link.ts';
import type { SerialSettings } from '../serial-address.ts';
import { ANSWER, COMMAND, type Order, orderBytes, ordersFor } from './com-port.ts';
import {
  BINARY,
  COM_PORT,
  command,
  DO,
  DONT,
  SUPPRESS_GO_AHEAD,
  TelnetReader,
  WILL,
  WONT,
} from './telnet.ts';

/*
 * The client's side of RFC 2217, over one connection:
 *
 *   agreeing --COM port and binary, both ways, agreed--> ordering --all that is needed answered, old bytes dropped--> ready
 *       \-- refused ---------------------------------------+-- another answer than asked for ----> failed
 *
 * Bytes of the line count from `ready` on: what came before was there before the line was as it should be.
 */

export interface ComPortHandlers {
  send(bytes: Uint8Array): void;
  /** The line is as its settings say. Once. */
  ready(): void;
  /** It can't be had. Once, and nothing follows. */
  failed(end: LinkEnd): void;
  data(bytes: Uint8Array): void;
  /** The server wants no bytes for now, or wants them again. */
  suspended(suspended: boolean): void;
}

/** What both sides are to agree on before anything else. */
const AGREEMENTS = [
  { yes: DO, no: DONT, option: COM_PORT, what: 'the COM port option' },
  { yes: DO, no: DONT, option: BINARY, what: 'bytes as they are from us' },
  { yes: WILL, no: WONT, option: BINARY, what: 'bytes as they are from the server' },
] as const;

const SIGNATURE = [...new TextEncoder().encode('Heartwire')];

/** Asks a serial server for a line, and reads from it. */
export class ComPortClient {
  readonly #address: string;
  readonly #handlers: ComPortHandlers;
  readonly #reader: TelnetReader;
  readonly #orders: readonly Order[];
  readonly #open = new Set<(typeof AGREEMENTS)[number]>(AGREEMENTS);
  readonly #unanswered = new Set<Order>();
  readonly #refusedOptions = new Set<number>();
  #state: 'agreeing' | 'ordering' | 'ready' | 'failed' = 'agreeing';

  constructor(address: string, settings: SerialSettings, handlers: ComPortHandlers) {
    this.#address = address;
    this.#handlers = handlers;
    this.#orders = ordersFor(settings);
    this.#reader = new TelnetReader({
      data: (bytes) => {
        if (this.#state === 'ready') handlers.data(bytes);
      },
      command: (verb, option) => this.#command(verb, option),
      subnegotiation: (option, bytes) => {
        if (option === COM_PORT) this.#answered(bytes);
      },
    });
  }

  start(): void {
    const { send } = this.#handlers;
    send(command(WILL, COM_PORT));
    send(command(WILL, BINARY));
    send(command(DO, BINARY));
    send(command(WILL, SUPPRESS_GO_AHEAD));
    send(command(DO, SUPPRESS_GO_AHEAD));
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** The time for agreeing is over. What is not insisted on may stay unanswered; else the link has no line. */
  timeUp(withinMs: number): void {
    if (this.#state === 'agreeing') {
      const missing = [...this.#open].map(({ what }) => what).join(', ');
      this.#fail({
        code: 'com_port_refused',
        detail: `${this.#address} took the connection and did not agree within ${withinMs} ms to: ${missing}. Where it is no RFC 2217 port, write tcp: with \`line: serial\`, and set the line at the server.`,
      });
    } else if (this.#state === 'ordering') {
      const missing = [...this.#unanswered].filter(({ needed }) => needed);
      if (missing.length === 0) return this.#ready();
      this.#fail({
        code: 'com_port_refused',
        detail: `${this.#address} did not answer within ${withinMs} ms when asked for: ${missing.map(({ what }) => what).join(', ')}. Look at its settings.`,
      });
    }
  }

  #command(verb: number, option: number): void {
    if (this.#state === 'failed') return;
    for (const each of AGREEMENTS) {
      if (each.option !== option) continue;
      if (verb === each.no) return this.#refused(each.what);
      if (verb === each.yes) {
        this.#open.delete(each);
        if (this.#state === 'agreeing' && this.#open.size === 0) this.#order();
        return;
      }
    }
    if (option === SUPPRESS_GO_AHEAD || option === BINARY || option === COM_PORT) return;
    // Each option that we do not want is refused once, so that no two programs answer each other for ever.
    if ((verb !== DO && verb !== WILL) || this.#refusedOptions.has(option)) return;
    this.#refusedOptions.add(option);
    this.#handlers.send(command(verb === DO ? WONT : DONT, option));
  }

  #refused(what: string): void {
    this.#fail({
      code: 'com_port_refused',
      detail: `${this.#address} refuses ${what} (RFC 2217). Switch it on at the server, or write tcp: with \`line: serial\`, and set the line at the server.`,
    });
  }

  #order(): void {
    this.#state = 'ordering';
    for (const each of this.#orders) {
      this.#unanswered.add(each);
      this.#handlers.send(orderBytes(each));
    }
  }

  #answered(bytes: Uint8Array): void {
    const [code = 0, ...value] = bytes;
    if (this.#state === 'failed') return;
    if (code === COMMAND.signature && value.length === 0) {
      return this.#handlers.send(orderBytes({ command: COMMAND.signature, bytes: SIGNATURE }));
    }
    if (code === COMMAND.suspend + ANSWER) return this.#handlers.suspended(true);
    if (code === COMMAND.resume + ANSWER) return this.#handlers.suspended(false);
    if (this.#state !== 'ordering') return;
    for (const order of this.#unanswered) {
      if (order.command + ANSWER !== code) continue;
      this.#unanswered.delete(order);
      const same = order.bytes.every((byte, index) => byte === value[index]);
      if (!same && order.needed) return this.#differs(order, value);
      break;
    }
    if (this.#unanswered.size === 0) this.#ready();
  }

  #differs({ what, command: of }: Order, value: readonly number[]): void {
    const number = value.reduce((sum, byte) => sum * 256 + byte, 0);
    const got = of === COMMAND.baud ? `${number} baud` : `the value ${number}`;
    this.#fail({
      code: 'port_settings',
      detail: `${this.#address} was asked for ${what} and has ${got}. Choose settings that its line has.`,
    });
  }

  #ready(): void {
    this.#state = 'ready';
    this.#unanswered.clear();
    this.#handlers.ready();
  }

  #fail(end: LinkEnd): void {
    this.#state = 'failed';
    this.#handlers.failed(end);
  }
}
