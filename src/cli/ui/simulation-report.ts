import type { FrameCounts, SimulatorEvent } from '../../simulator/index.ts';
import type { CliIo } from '../command.ts';

/** Up to this number each device is reported; above it, only the numbers of devices. */
const REPORTED_ONE_BY_ONE = 10;

/** How often, at most, the state of a large fleet is reported. */
export const SUMMARY_EVERY_MS = 1_000;

/** Reports what simulated devices do: to people on a terminal, to machines as JSON lines, and next to nothing in a pipe. */
export interface SimulateReport {
  event(event: SimulatorEvent): void;
  /** A second has passed. */
  tick(): void;
  ended(): void;
}

/** Chooses how to report. `counts` and `wallMs` are asked when they are needed. */
export function simulateReport(
  io: CliIo,
  options: { readonly json: boolean; readonly count: number },
  counts: () => FrameCounts,
  wallMs: () => number,
): SimulateReport {
  if (options.json) return new JsonReport(io, counts, wallMs);
  if (!io.terminal) return new QuietReport(io);
  if (options.count <= REPORTED_ONE_BY_ONE) return new LineReport(io, counts);
  return new SummaryReport(io, options.count, counts);
}

class JsonReport implements SimulateReport {
  readonly #io: CliIo;
  readonly #counts: () => FrameCounts;
  readonly #wallMs: () => number;

  constructor(io: CliIo, counts: () => FrameCounts, wallMs: () => number) {
    this.#io = io;
    this.#counts = counts;
    this.#wallMs = wallMs;
  }

  event(event: SimulatorEvent): void {
    const { kind, device, ...details } = event;
    const renamed = Object.entries(details).map(([key, value]) => [
      key === 'retryInMs' ? 'retry_in_ms' : key,
      typeof value === 'number' ? Math.round(value) : value,
    ]);
    this.#print({ kind, device, ...Object.fromEntries(renamed) });
  }

  tick(): void {}

  ended(): void {
    this.#print({ kind: 'stopped', ...this.#counts() });
  }

  #print(line: object): void {
    this.#io.out(`${JSON.stringify({ timestamp: this.#wallMs(), ...line })}\n`);
  }
}

/** Says where devices listen, which a script must know, and once on standard error what keeps one from connecting. */
class QuietReport implements SimulateReport {
  readonly #io: CliIo;
  #warned = false;

  constructor(io: CliIo) {
    this.#io = io;
  }

  event(event: SimulatorEvent): void {
    if (event.kind === 'listening') this.#io.out(`${eventLine(event)}\n`);
    if (event.kind === 'connected') this.#warned = false;
    if (!['disconnected', 'refused', 'unable'].includes(event.kind) || this.#warned) return;
    this.#warned = true;
    this.#io.err(`${eventLine(event)}\n`);
  }

  tick(): void {}
  ended(): void {}
}

class LineReport implements SimulateReport {
  readonly #io: CliIo;
  readonly #counts: () => FrameCounts;

  constructor(io: CliIo, counts: () => FrameCounts) {
    this.#io = io;
    this.#counts = counts;
  }

  event(event: SimulatorEvent): void {
    this.#io.out(`${eventLine(event)}\n`);
  }

  tick(): void {}

  ended(): void {
    this.#io.out(`Stopped. ${countsInWords(this.#counts())}.\n`);
  }
}

class SummaryReport implements SimulateReport {
  readonly #io: CliIo;
  readonly #count: number;
  readonly #counts: () => FrameCounts;
  readonly #links = new Map<string, number>();
  readonly #registered = new Set<string>();
  #lastDetail = '';
  #reported = '';

  constructor(io: CliIo, count: number, counts: () => FrameCounts) {
    this.#io = io;
    this.#count = count;
    this.#counts = counts;
  }

  event(event: SimulatorEvent): void {
    const { device } = event;
    switch (event.kind) {
      case 'connected':
        this.#links.set(device, (this.#links.get(device) ?? 0) + 1);
        this.#lastDetail = '';
        return;
      case 'registered':
      case 'peer_registered':
        this.#registered.add(device);
        return;
      case 'disconnected': {
        const left = (this.#links.get(device) ?? 0) - 1;
        if (left > 0) this.#links.set(device, left);
        else this.#links.delete(device);
        if (left <= 0) this.#registered.delete(device);
        this.#lastDetail = event.detail;
        return;
      }
      case 'listening':
      case 'refused':
      case 'unable':
      case 'stalled':
      case 'resumed':
      case 'half_open':
        return;
    }
  }

  tick(): void {
    const state = `${this.#links.size} of ${this.#count} connected, ${this.#registered.size} registered`;
    if (state === this.#reported) return;
    this.#reported = state;
    const why = this.#lastDetail === '' ? '' : ` Last: ${this.#lastDetail}`;
    this.#io.out(`${state}; ${countsInWords(this.#counts())}.${why}\n`);
  }

  ended(): void {
    this.#io.out(`Stopped. ${countsInWords(this.#counts())}.\n`);
  }
}

function eventLine(event: SimulatorEvent): string {
  return `${event.device}: ${inWords(event)}`;
}

function inWords(event: SimulatorEvent): string {
  switch (event.kind) {
    case 'listening':
      return `listens at ${event.address}`;
    case 'connected':
      return `connected with ${event.address}`;
    case 'registered':
      return 'registered';
    case 'refused':
      return `registration refused with error ${event.error}`;
    case 'unable':
      return `cannot log in: made-up values do not fit \`${event.message}\``;
    case 'peer_registered':
      return `was registered with by ${event.imei}`;
    case 'disconnected': {
      const retry =
        event.retryInMs === undefined ? '' : ` Again in ${(event.retryInMs / 1_000).toFixed(1)} s.`;
      return `disconnected. ${event.detail}${retry}`;
    }
    case 'stalled':
      return 'stands still';
    case 'resumed':
      return 'goes on';
    case 'half_open':
      return 'falls silent, its link stays open';
  }
}

function countsInWords({ sent, received }: FrameCounts): string {
  return `${sent.toLocaleString('en')} frames sent, ${received.toLocaleString('en')} received`;
}
