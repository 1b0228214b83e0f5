import { SESSION_DEFAULTS, type SessionSettings } from '../../src/config/session-settings.ts';
import type { AlarmEvent, StateDocument, StatsDocument } from '../../src/contract/feed/topic-documents.ts';
import { DeviceSession } from '../../src/devices/core/device-session.ts';
import { type MessageCatalog, nameOf } from '../../src/devices/core/message-catalog.ts';
import type {
  Effect,
  LinkClaim,
  RequestOutcome,
  SessionEvent,
} from '../../src/devices/core/session-events.ts';
import type { Message } from '../../src/protocol/message.ts';

export const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
export const IMEI = '869858030720693';
export const OUR_REGISTER = { appid: APPID, imei: IMEI };

/** Settings of a device that we dial at one address, changed as wanted. */
export function settings(changes: Partial<SessionSettings> = {}): SessionSettings {
  const { turnaroundMs: _, ...byDefault } = SESSION_DEFAULTS;
  return {
    ...byDefault,
    device: 'p1',
    role: 'client',
    transport: 'tcp',
    addresses: ['10.0.0.7:9089'],
    register: OUR_REGISTER,
    reconnect: { ...byDefault.reconnect, jitter: 'none' },
    ...changes,
  };
}

/** Settings of a device that dials in. */
export function dialIn(changes: Partial<SessionSettings> = {}): SessionSettings {
  const { register: _, ...rest } = settings();
  return { ...rest, role: 'server', addresses: [], ...changes };
}

export const request = (name: 'heartbeat' | 'datetime'): Message => ({ name, kind: 'request' });
export const reply = (name: 'register' | 'heartbeat', error = 0): Message => ({ name, kind: 'reply', error });
export const datetimeReply = (datetime: string): Message => ({
  name: 'datetime',
  kind: 'reply',
  error: 0,
  fields: { datetime },
});
export const registerRequest = (fields: { appid: string; imei: string }): Message => ({
  name: 'register',
  kind: 'request',
  fields,
});

/** Drives one session with a clock that a test moves, and records its effects. */
export class SessionBench {
  readonly session: DeviceSession;
  readonly startWallMs = Date.UTC(2026, 0, 1);
  now = 0;
  state: StateDocument | undefined;
  stats: StatsDocument | undefined;
  readonly states: string[] = [];
  readonly alarms: AlarmEvent[] = [];
  readonly outcomes = new Map<number, RequestOutcome>();

  constructor(of: SessionSettings, random: () => number = () => 0.5, messages?: MessageCatalog) {
    const ports = {
      ...(messages === undefined ? {} : { messages }),
      random,
      localTime: () => '2026-01-01 00:00:00',
      parseLocalTime: (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`),
    };
    this.session = new DeviceSession(of, ports, this.instant());
  }

  instant() {
    return { monoMs: this.now, wallMs: this.startWallMs + this.now };
  }

  /** Reports an event; returns the effects, without what is published and logged, in short words. */
  tell(event: SessionEvent): string[] {
    return this.session.handle(event, this.instant()).flatMap((effect) => this.#note(effect));
  }

  message(message: Message): string[] {
    return this.tell({ type: 'messageReceived', message });
  }

  claim(claim: LinkClaim): string[] {
    return this.tell({ type: 'linkClaimed', claim });
  }

  /** Lets time pass; deadlines are met on the dot. Gives the orders with their times. */
  pass(ms: number): string[] {
    const end = this.now + ms;
    const out: string[] = [];
    for (;;) {
      const deadline = this.session.nextDeadline();
      if (deadline === undefined || deadline > end) break;
      this.now = Math.max(this.now, deadline);
      // Nothing comes in the turn of reading that is asked for, and no time passes.
      const orders = this.tell({ type: 'deadlineReached', afterReading: false });
      if (orders.includes('read once'))
        orders.push(...this.tell({ type: 'deadlineReached', afterReading: true }));
      for (const order of orders) if (order !== 'read once') out.push(`${this.now} ${order}`);
    }
    this.now = end;
    return out;
  }

  /** The loop is blocked: time passes and nothing is looked at. */
  skip(ms: number): void {
    this.now += ms;
  }

  /** The loop is blocked; then the timer fires, late. */
  stall(ms: number): string[] {
    this.skip(ms);
    return this.tell({ type: 'deadlineReached', afterReading: false });
  }

  /** Status, with its reason; then the link's. */
  get axes(): string {
    const { state } = this;
    if (state === undefined) return 'none';
    const why = (reason?: string) => (reason === undefined ? '' : ` (${reason})`);
    return `${state.status}${why(state.reason)}, link ${state.link.status}${why(state.link.reason)}`;
  }

  #note(effect: Effect): string[] {
    switch (effect.type) {
      case 'publishState':
        this.state = effect.document;
        this.states.push(this.axes);
        return [];
      case 'publishStats':
        this.stats = effect.document;
        return [];
      case 'publishMessage':
      case 'publishMeasured':
      case 'log':
        return [];
      case 'storeChunk':
        return [
          `store ${effect.transfer} ${effect.offset}+${effect.data.length}${effect.last ? ' last' : ''}`,
        ];
      case 'dropFile':
        return [`drop ${effect.transfer}`];
      case 'publishAlarm':
        this.alarms.push(effect.alarm);
        return [];
      case 'settleRequest':
        this.outcomes.set(effect.requestId, effect.outcome);
        return [`settle ${effect.requestId} ${effect.outcome.ok ? 'ok' : effect.outcome.code}`];
      case 'turnOver':
        return [`turn over, ${effect.how}`];
      case 'send':
        return [`send ${describe(effect.message)}`];
      case 'openLink':
        return [`open ${effect.addressIndex}`];
      case 'closeLink':
        return [effect.how];
      case 'attachLink':
        return [`attach ${effect.claimId}`];
      case 'refuseLink':
        return [`refuse ${effect.claimId}`];
      case 'readOnce':
        return ['read once'];
    }
  }
}

function describe(message: Message): string {
  const error = message.kind === 'reply' ? ` ${message.error}` : '';
  return `${nameOf(message)} ${message.kind}${error}`;
}

/** A dialled device that has come online. */
export function online(of: SessionSettings = settings()): SessionBench {
  const bench = new SessionBench(of);
  bench.tell({ type: 'started' });
  bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
  bench.message(reply('register'));
  if (of.transport === 'serial') bench.message(reply('heartbeat'));
  return bench;
}
