import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionSettings } from '../../../src/config/session-settings.ts';
import type { Message } from '../../../src/protocol/message.ts';
import { answered, notice, ovenCatalog } from '../../support/declared.ts';
import {
  APPID,
  datetimeReply,
  dialIn,
  OUR_REGISTER,
  registerRequest,
  reply,
  request,
  SessionBench,
  settings,
} from '../../support/session-bench.ts';

const OTHER = { appid: APPID, imei: '490154203237518' };

const life: fc.Arbitrary<Partial<SessionSettings>> = fc.record(
  {
    role: fc.constantFrom('client', 'server'),
    transport: fc.constantFrom('tcp', 'serial'),
    heartbeat: fc.record({
      intervalMs: fc.constantFrom(1_000, 3_000, 30_000),
      missed: fc.constantFrom(1, 3),
      from: fc.constantFrom('client', 'server', 'both'),
    }),
    requestTimeoutMs: fc.constantFrom(300, 5_000),
    presence: fc.constant({ everyMs: 5_000 }),
    clock: fc.constant({ everyMs: 2_000 }),
    bare: fc.record(
      {
        silenceMs: fc.constant(4_000),
        polls: fc.constantFrom([], [{ message: 'read', fields: { unit: 1 }, everyMs: 500 }]),
        turnaroundMs: fc.constant(20),
      },
      { requiredKeys: ['polls', 'turnaroundMs'] },
    ),
  },
  { requiredKeys: ['role', 'transport', 'heartbeat', 'requestTimeoutMs'] },
);

const message: fc.Arbitrary<Message> = fc.constantFrom<Message[]>(
  reply('register'),
  reply('register', -1),
  reply('heartbeat'),
  request('heartbeat'),
  request('datetime'),
  datetimeReply('2026-01-01 00:00:00'),
  registerRequest(OUR_REGISTER),
  registerRequest(OTHER),
  { name: 'unknown', kind: 'unknown', id: 5, payload: Uint8Array.of(5) },
  notice('telemetry', { temperature: 20, set_point: 1, channels: [] }),
  answered('read', 0, { power: 7 }),
);

type Step = (world: World) => void;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.nat(20_000).map(
      (late): Step =>
        (world) =>
          world.meetDeadline(late % 10 > 0 ? 0 : late),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(1_500).map(
      (ms): Step =>
        (world) =>
          world.pass(ms),
    ),
  },
  {
    weight: 6,
    arbitrary: message.map(
      (said): Step =>
        (world) =>
          world.hear(said),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Step>((world) => world.open()) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('link_closed', 'link_reset').map(
      (code): Step =>
        (world) =>
          world.close(code),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(2), fc.constantFrom(undefined, OUR_REGISTER)).map(
      ([host, register]): Step =>
        (world) =>
          world.claim(`10.0.0.${host}`, register),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.withdraw()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.handOn()) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('heartbeat', 'datetime', 'register', 'blink', 'read', 'nope').map(
      (name): Step =>
        (world) =>
          world.ask(name),
    ),
  },
);

/** What a runner would do, and what it may rely on. */
class World {
  readonly bench: SessionBench;
  readonly #claims = new Set<number>();
  readonly #asked = new Set<number>();
  #link: 'none' | 'opening' | 'open' = 'none';
  #ids = 0;

  constructor(of: SessionSettings) {
    this.bench = new SessionBench(of, () => 0.5, ovenCatalog());
    this.#tell({ type: 'started' });
  }

  pass(ms: number): void {
    this.bench.now += ms;
  }

  meetDeadline(lateMs: number): void {
    const deadline = this.bench.session.nextDeadline();
    if (deadline === undefined) return;
    this.bench.now = Math.max(this.bench.now, deadline) + lateMs;
    // A few things may be due at the same time, one after the other.
    for (let round = 0; round < 5; round++) {
      this.#tell({ type: 'deadlineReached', afterReading: false });
      if (this.bench.session.nextDeadline() === undefined)
        this.#tell({ type: 'deadlineReached', afterReading: true });
      if ((this.bench.session.nextDeadline() ?? Number.POSITIVE_INFINITY) > this.bench.now) return;
    }
    expect.unreachable('its deadline does not move on');
  }

  hear(said: Message): void {
    if (this.#link === 'open') this.#tell({ type: 'messageReceived', message: said });
  }

  open(): void {
    if (this.#link !== 'opening') return;
    this.#link = 'open';
    this.#tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
  }

  close(code: 'link_closed' | 'link_reset'): void {
    if (this.#link === 'none') return;
    this.#link = 'none';
    this.#tell({ type: 'linkClosed', code, detail: 'the peer is gone' });
  }

  /** Who dialled in turns out to be another device. */
  handOn(): void {
    if (this.#link !== 'open' || this.bench.session.settings.addresses.length > 0) return;
    this.#link = 'none';
    this.#tell({ type: 'linkTransferred', detail: 'it registered as another' });
  }

  claim(host: string, register: typeof OTHER | undefined): void {
    const { addresses, bare } = this.bench.session.settings;
    if (addresses.length > 0) return;
    const claimId = ++this.#ids;
    this.#claims.add(claimId);
    const known = bare !== undefined || register === undefined ? {} : { register };
    this.#tell({ type: 'linkClaimed', claim: { claimId, address: `${host}:50000`, host, ...known } });
  }

  withdraw(): void {
    const [claimId] = this.#claims;
    if (claimId === undefined) return;
    this.#claims.delete(claimId);
    this.#tell({ type: 'claimWithdrawn', claimId });
  }

  ask(name: string): void {
    const requestId = ++this.#ids;
    this.#asked.add(requestId);
    this.#tell({ type: 'requestMade', requestId, message: name, fields: {}, timeoutMs: 1_000 });
  }

  /** Nothing is left behind. */
  stop(): void {
    this.#tell({ type: 'stopped', reason: 'stopped' });
    expect(this.#link).toBe('none');
    expect([...this.#asked, ...this.#claims]).toEqual([]);
  }

  #tell(event: Parameters<SessionBench['tell']>[0]): void {
    for (const order of this.bench.tell(event)) this.#perform(order);
    const { state, session } = this.bench;
    expect(session.connected).toBe(this.#link === 'open');
    expect(state?.link.status === 'connected').toBe(this.#link === 'open');
    const { bare } = session.settings;
    if (bare === undefined && this.#link === 'none')
      expect(['unknown', 'offline', 'away']).toContain(state?.status);
  }

  #perform(order: string): void {
    const [verb, id] = order.split(' ');
    switch (verb) {
      case 'open':
        expect(this.#link).toBe('none');
        this.#link = 'opening';
        return;
      case 'attach':
        expect(this.#link).toBe('none');
        expect(this.#claims.delete(Number(id))).toBe(true);
        this.#link = 'open';
        return;
      case 'refuse':
        expect(this.#claims.delete(Number(id))).toBe(true);
        return;
      case 'settle':
        expect(this.#asked.delete(Number(id))).toBe(true);
        return;
      case 'send':
        expect(this.#link).toBe('open');
        return;
      case 'end':
      case 'destroy':
        expect(this.#link).not.toBe('none');
        this.#link = 'none';
        return;
    }
  }
}

describe('a session, whatever happens to it', () => {
  it.each([
    ['dialled', settings],
    ['dialling in', dialIn],
  ])(
    '%s has one link at most, settles each request and claim once, and never hangs at a deadline',
    (_how, make) => {
      fc.assert(
        fc.property(life, fc.array(step, { maxLength: 120, size: 'max' }), (changes, steps) => {
          const world = new World(make(make === dialIn ? { ...changes, role: 'server' } : changes));
          for (const each of steps) each(world);
          world.stop();
        }),
        { numRuns: 200 },
      );
    },
  );
});
