import type { ErrorCode } from '../../errors.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from '../link.ts';
import type { SerialSettings } from '../serial-address.ts';
import type { ExposeAddress, Exposure, Program } from './exposure.ts';
import { PtyExposure } from './pty-exposure.ts';
import { TcpExposure } from './tcp-exposure.ts';
import { Turns, type TurnTimes } from './turns.ts';

/** One place at which the port is shared, as the state shows it. */
export interface SharedPlace {
  /** `pty /run/heartwire/psu-1`, `tcp 127.0.0.1:4001`. */
  readonly at: string;
  readonly read_only?: true;
  /** The programs that use it, as far as the system tells. */
  readonly programs: readonly string[];
  /** Why it can't be used now; it is tried again. */
  readonly reason?: string;
  readonly detail?: string;
}

export interface SharingOptions {
  readonly exposes: readonly ExposeAddress[];
  readonly times: TurnTimes;
  /** Both sides speak at any time: there are no turns, and all hear everything. */
  readonly duplex: boolean;
  /** Those of the line, where the bridge sets it. */
  readonly settings?: SerialSettings | undefined;
  changed(places: readonly SharedPlace[]): void;
  failed(code: ErrorCode, detail: string): void;
}

/** The place is open, and leads nowhere. */
const NO_LINK = {
  code: 'link_not_open',
  detail: 'the device has no link now; what programs send goes nowhere',
} as const;

/** A place that could not be opened is tried again after so long, in ms. */
const AGAIN_MS = 5_000;
/** Bytes in one note of the trace. */
const NOTED_BYTES = 256;

type Note = (text: string) => void;

interface Place {
  readonly address: ExposeAddress;
  readonly exposure: Exposure;
  at: string;
  end?: LinkEnd | undefined;
  again?: NodeJS.Timeout | undefined;
}

/**
 * Gives the port of one device on to other programs, link after link: they stay while it is opened again, and what they
 * send then goes nowhere. Only the bridge opens and closes the port, and a program that does not read or never stops
 * sending costs the device nothing.
 */
export class PortSharing {
  readonly #options: SharingOptions;
  readonly #turns: Turns<Program>;
  readonly #places: Place[] = [];
  readonly #programs = new Set<Program>();
  #link: Link | undefined;
  #note: Note | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(options: SharingOptions) {
    this.#options = options;
    this.#turns = new Turns(options.times, {
      write: (bytes, by) => this.#write(bytes, by),
      taken: (program) => program.resume(),
      dropped: (bytes) =>
        this.#note?.(
          `shared: ${bytes.length} bytes of the bridge were not sent: the line was not free in time`,
        ),
    });
  }

  start(): void {
    for (const address of this.#options.exposes) this.#places.push(this.#makePlace(address));
    for (const { exposure } of this.#places) exposure.start();
    this.#changed();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const { exposure, again } of this.#places) {
      clearTimeout(again);
      exposure.stop();
    }
  }

  /** The same link, in turn with the programs; `note` writes into its trace. */
  wrap(link: Link, note: Note = () => undefined): Link {
    return new SharedLink(link, this.#use(link, note));
  }

  /** Takes part in a link that is open: programs get what comes from here on. The caller reports its bytes and its end. */
  join(link: Link, note: Note = () => undefined): LinkUse {
    const use = this.#use(link, note);
    use.opened();
    return use;
  }

  #use(link: Link, note: Note): LinkUse {
    return {
      opened: () => {
        this.#link = link;
        this.#note = note;
        this.#changed();
      },
      closed: () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        this.#note = undefined;
        this.#turns.reset();
        this.#follow();
        this.#changed();
      },
      send: (bytes) => this.#bridgeSends(link, bytes),
      held: () => (this.#link === link ? this.#turns.held : 0),
      heard: (chunk) => this.#heard(chunk),
    };
  }

  #bridgeSends(link: Link, bytes: Uint8Array): SendOutcome {
    if (this.#options.duplex || this.#link !== link) return link.send(bytes);
    const now = performance.now();
    this.#turns.act(now);
    // The turn of a program that left goes on until its answer is over.
    if (this.#programs.size === 0 && this.#turns.program === undefined && this.#turns.held === 0) {
      this.#turns.bridgeSent(now);
      return link.send(bytes);
    }
    const taken = this.#turns.bridgeSends(bytes, now);
    this.#follow();
    return taken ? 'accepted' : 'link_queue_full';
  }

  /** Whether the bytes are for the bridge. */
  #heard(chunk: Uint8Array): boolean {
    if (this.#programs.size === 0 && (this.#options.duplex || !this.#turns.taken)) return true;
    if (this.#options.duplex) {
      for (const each of this.#programs) each.write(chunk);
      return true;
    }
    this.#turns.heard(performance.now());
    const { program, taken } = this.#turns;
    for (const each of this.#programs) {
      if (each.readOnly || !taken || each === program) each.write(chunk);
    }
    if (program !== undefined) this.#noted('<', program, chunk);
    this.#follow();
    return program === undefined;
  }

  #said(program: Program, bytes: Uint8Array): boolean {
    // What is said while nothing listens must not reach the device minutes later.
    if (program.readOnly || this.#link === undefined) return true;
    if (this.#options.duplex) {
      this.#write(bytes, program);
      return true;
    }
    const more = this.#turns.programSends(program, bytes, performance.now());
    this.#follow();
    return more;
  }

  #write(bytes: Uint8Array, by: Program | undefined): void {
    if (by !== undefined) this.#noted('>', by, bytes);
    this.#link?.send(bytes);
  }

  #noted(mark: '<' | '>', { name }: Program, bytes: Uint8Array): void {
    if (this.#note === undefined) return;
    for (let at = 0; at < bytes.length; at += NOTED_BYTES) {
      const hex = Buffer.from(bytes.subarray(at, at + NOTED_BYTES)).toString('hex');
      this.#note(`shared ${name} ${mark} ${hex}`);
    }
  }

  /** Keeps one timer at what is due next. */
  #follow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    const dueAt = this.#turns.nextDeadline(now);
    if (this.#over || dueAt === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#turns.act(performance.now());
        this.#follow();
      },
      Math.max(1, Math.ceil(dueAt - now)),
    );
  }

  #makePlace(address: ExposeAddress): Place {
    const at = placeLabel(address);
    const handlers = {
      joined: (program: Program) => {
        this.#programs.add(program);
        this.#changed();
      },
      left: (program: Program) => {
        this.#programs.delete(program);
        this.#turns.left(program);
        this.#changed();
      },
      said: (program: Program, bytes: Uint8Array) => this.#said(program, bytes),
      opened: (name: string) => {
        place.at = name;
        place.end = undefined;
        this.#changed();
      },
      failed: (end: LinkEnd) => this.#failed(place, end),
    };
    const exposure =
      address.kind === 'pty'
        ? new PtyExposure(address.path, address.readOnly, handlers)
        : new TcpExposure(address, this.#options.settings, handlers);
    const place: Place = { address, exposure, at };
    return place;
  }

  #failed(place: Place, end: LinkEnd): void {
    if (this.#over) return;
    if (place.end?.detail !== end.detail) this.#options.failed(end.code, end.detail);
    place.end = end;
    place.again = setTimeout(() => place.exposure.start(), AGAIN_MS);
    this.#changed();
  }

  #changed(): void {
    if (this.#over) return;
    const away = this.#link === undefined ? NO_LINK : undefined;
    this.#options.changed(
      this.#places.map(({ at, address, exposure, end = away }) => ({
        at,
        ...(address.readOnly ? { read_only: true as const } : {}),
        programs: exposure.programs(),
        ...(end === undefined ? {} : { reason: end.code, detail: end.detail }),
      })),
    );
  }
}

/** A place as it is configured: `pty /run/heartwire/psu-1`, `tcp 127.0.0.1:4001`. */
export const placeLabel = (address: ExposeAddress): string =>
  address.kind === 'pty'
    ? `pty ${address.path}`
    : `${address.kind} ${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;

/** What a link reports to the sharing, and how the bridge sends over it. */
export interface LinkUse {
  opened(): void;
  closed(): void;
  send(bytes: Uint8Array): SendOutcome;
  /** Frames of the bridge that wait for their turn. */
  held(): number;
  /** Whether the bytes are for the bridge. */
  heard(chunk: Uint8Array): boolean;
}

/** A link of which the bytes go by way of the sharing. */
class SharedLink implements Link {
  readonly #link: Link;
  readonly #use: LinkUse;
  /** The last bytes were for another program, and so is the silence behind them. */
  #silenceIsOurs = true;
  #isOpen = false;

  constructor(link: Link, use: LinkUse) {
    this.#link = link;
    this.#use = use;
  }

  get transport() {
    return this.#link.transport;
  }

  get address() {
    return this.#link.address;
  }

  get resolves() {
    return this.#link.resolves ?? false;
  }

  get queued() {
    return this.#link.queued + this.#use.held();
  }

  open(handlers: LinkHandlers): void {
    this.#link.open({
      ...handlers,
      dialling: (stale) => handlers.dialling?.(stale),
      opened: (address) => {
        this.#isOpen = true;
        this.#use.opened();
        handlers.opened(address);
      },
      data: (chunk) => {
        this.#silenceIsOurs = this.#use.heard(chunk);
        if (this.#silenceIsOurs) handlers.data(chunk);
      },
      idle: () => {
        if (this.#silenceIsOurs) handlers.idle();
      },
      closed: (end) => {
        this.#close();
        handlers.closed(end);
      },
    });
  }

  send(bytes: Uint8Array): SendOutcome {
    return this.#isOpen ? this.#use.send(bytes) : this.#link.send(bytes);
  }

  end(): void {
    this.#close();
    this.#link.end();
  }

  destroy(): void {
    this.#close();
    this.#link.destroy();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#use.closed();
  }
}
