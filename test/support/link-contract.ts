import { afterEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import type { Link } from '../../src/links/link.ts';
import { RecordedLink } from './recorded-link.ts';
import { leftBehind, resources } from './resources.ts';

/** The other end of a link, without any of our code. */
export interface RawPeer {
  write(bytes: Uint8Array): void;
  /** Everything that came from the link so far. */
  received(): Buffer;
  /** Stops reading, so that writes to it get stuck. */
  stall(): void;
  resume(): void;
  /** Goes away. */
  hangUp(): void;
}

export interface LinkPair {
  /** Not opened yet. */
  readonly link: Link;
  /** There once the link is open. */
  peer(): Promise<RawPeer>;
  dispose(): Promise<void>;
}

export interface ContractOptions {
  /** How the peer's going away may be told. */
  readonly hangUpCodes: readonly ErrorCode[];
  /** Bytes sent in bulk each way. */
  readonly bulk: number;
  /** What is sent arrives at the peer, unless the link has none: then it is taken, and goes nowhere. */
  readonly sends?: 'carried' | 'nowhere';
  /** Datagrams are taken whether or not the peer reads, and its going away shows only when something is sent. */
  readonly datagrams?: boolean;
}

const pattern = (length: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
};

/** What every link promises, whatever carries its bytes. */
export function linkContract(
  name: string,
  makePair: () => Promise<LinkPair>,
  options: ContractOptions,
): void {
  describe(`${name} keeps the contract of a link`, () => {
    const carried = options.sends !== 'nowhere';
    const pairs: LinkPair[] = [];
    const pair = async (): Promise<LinkPair> => {
      const made = await makePair();
      pairs.push(made);
      return made;
    };
    const records: RecordedLink[] = [];
    const record = (...given: ConstructorParameters<typeof RecordedLink>): RecordedLink => {
      const recorded = new RecordedLink(...given);
      records.push(recorded);
      return recorded;
    };
    const openPair = async (): Promise<{ recorded: RecordedLink; link: Link; peer: RawPeer }> => {
      const made = await pair();
      const recorded = record(made.link);
      await expect.poll(() => recorded.opened).toBe(true);
      return { recorded, link: made.link, peer: await made.peer() };
    };
    const closed = (recorded: RecordedLink) => expect.poll(() => recorded.end?.code);
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };

    afterEach(async () => {
      for (const each of pairs) each.link.destroy();
      // A carrier may get the same name again, so the link must have let go of it.
      for (const each of records.splice(0)) await expect.poll(() => each.end).toBeDefined();
      for (const each of pairs.splice(0)) await each.dispose();
    });

    test('tells opened first, closed last, each once, and none from inside a call', async () => {
      const { link } = await pair();
      const recorded = record(link);
      expect(recorded.events).toEqual([]);
      await expect.poll(() => recorded.events.length).toBe(1);
      expect(recorded.events).toEqual([{ event: 'opened', address: link.address }]);
      link.destroy();
      link.destroy();
      link.end();
      expect(recorded.events).toHaveLength(1);
      await closed(recorded).toBe('link_ended');
      link.destroy();
      await settle();
      expect(recorded.events.map((each) => each.event)).toEqual(['opened', 'closed']);
      expect(recorded.end?.detail).toContain(link.address);
    });

    test('is opened only once', async () => {
      const { recorded, link } = await openPair();
      expect(() => record(link)).toThrow('only once');
      expect(recorded.end).toBeUndefined();
    });

    test('destroyed before it opened, tells closed and nothing else', async () => {
      const { link } = await pair();
      const recorded = record(link);
      link.destroy();
      await closed(recorded).toBe('link_ended');
      await settle();
      expect(recorded.events.map((each) => each.event)).toEqual(['closed']);
    });

    test('destroyed before anybody listened, tells closed to who listens then', async () => {
      const { link } = await pair();
      link.destroy();
      const recorded = record(link);
      expect(recorded.events).toEqual([]);
      await closed(recorded).toBe('link_ended');
      expect(recorded.events.map((each) => each.event)).toEqual(['closed']);
    });

    test('may be destroyed from inside its own handlers', async () => {
      const { link, peer } = await pair();
      const recorded = record(link, { data: () => link.destroy() });
      await expect.poll(() => recorded.opened).toBe(true);
      const raw = await peer();
      raw.write(pattern(options.bulk, 3));
      await closed(recorded).toBe('link_ended');
      await settle();
      expect(recorded.events.map((each) => each.event)).toEqual(['opened', 'data', 'closed']);
    });

    test(`carries bytes ${carried ? 'both ways' : 'from its peer'}, unchanged and in order`, async () => {
      const { recorded, link, peer } = await openPair();
      const down = pattern(options.bulk, 1);
      const up = pattern(options.bulk, 2);
      peer.write(down);
      for (let at = 0; at < up.length; at += 4_096) {
        expect(link.send(up.subarray(at, at + 4_096))).toBe('accepted');
      }
      await expect.poll(() => recorded.arrived).toBe(down.length);
      expect(recorded.bytes().equals(down)).toBe(true);
      await expect.poll(() => link.queued).toBe(0);
      if (!carried) return;
      await expect.poll(() => peer.received().length).toBe(up.length);
      expect(peer.received().equals(up)).toBe(true);
    });

    test('takes no bytes while it is not open', async () => {
      const { link } = await pair();
      expect(link.send(Uint8Array.of(1))).toBe('link_not_open');
      const recorded = record(link);
      expect(link.send(Uint8Array.of(1))).toBe('link_not_open');
      await expect.poll(() => recorded.opened).toBe(true);
      expect(link.send(Uint8Array.of(1))).toBe('accepted');
      link.destroy();
      expect(link.send(Uint8Array.of(1))).toBe('link_not_open');
      await closed(recorded).toBe('link_ended');
      expect(link.send(Uint8Array.of(1))).toBe('link_not_open');
    });

    // A peer that sends datagrams alone may have no way to go.
    test.skipIf(options.hangUpCodes.length === 0)('tells once that the peer went away', async () => {
      const { recorded, link, peer } = await openPair();
      peer.hangUp();
      await expect
        .poll(() => {
          if (options.datagrams) link.send(Uint8Array.of(1));
          return recorded.end !== undefined;
        })
        .toBe(true);
      expect(options.hangUpCodes).toContain(recorded.end?.code);
      expect(recorded.end?.detail).toContain(link.address);
      await settle();
      expect(recorded.events.filter((each) => each.event === 'closed')).toHaveLength(1);
    });

    test('leaves no handle, timer or descriptor', async () => {
      const before = resources();
      const made = await makePair();
      const recorded = record(made.link);
      await expect.poll(() => recorded.opened).toBe(true);
      const peer = await made.peer();
      peer.write(Uint8Array.of(1, 2, 3));
      await expect.poll(() => recorded.arrived).toBe(3);
      made.link.send(Uint8Array.of(4, 5, 6));
      made.link.end();
      await closed(recorded).toBe('link_ended');
      await made.dispose();
      expect(await leftBehind(before)).toEqual([]);
    });

    if (!carried) return;

    test('keeps the order of many small frames, sent in one tick and across ticks', async () => {
      const { link, peer } = await openPair();
      const sent: number[] = [];
      for (let round = 0; round < 10; round += 1) {
        for (let at = 0; at < 25; at += 1) {
          const value = (round * 25 + at) % 251;
          sent.push(value);
          expect(link.send(Uint8Array.of(value))).toBe('accepted');
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await expect.poll(() => peer.received().length).toBe(sent.length);
      expect([...peer.received()]).toEqual(sent);
    });

    test('writes out what is queued before it ends', async () => {
      const { recorded, link, peer } = await openPair();
      const last = pattern(options.bulk, 7);
      for (let at = 0; at < last.length; at += 4_096) link.send(last.subarray(at, at + 4_096));
      link.end();
      expect(link.send(Uint8Array.of(1))).toBe('link_not_open');
      await closed(recorded).toBe('link_ended');
      await expect.poll(() => peer.received().equals(last)).toBe(true);
    });

    if (options.datagrams) return;

    test('keeps at most 1,024 frames for a peer that does not read, and loses none of them', async () => {
      const { recorded, link, peer } = await openPair();
      peer.stall();
      const frame = pattern(4_096, 4);
      let accepted = 0;
      await expect
        .poll(
          () => {
            for (let at = 0; at < 512; at += 1) {
              const outcome = link.send(frame);
              if (outcome !== 'accepted') return outcome;
              accepted += 1;
            }
            return 'accepted';
          },
          { interval: 5 },
        )
        .toBe('link_queue_full');
      expect(link.queued).toBe(1_024);
      expect(recorded.end).toBeUndefined();
      peer.resume();
      await expect.poll(() => peer.received().length).toBe(accepted * frame.length);
      await expect.poll(() => link.queued).toBe(0);
      expect(link.send(frame)).toBe('accepted');
    });

    test('goes on reading while its writes are stuck', async () => {
      const { recorded, link, peer } = await openPair();
      peer.stall();
      for (let at = 0; at < 1_024; at += 1) link.send(pattern(4_096, at));
      peer.write(pattern(3_000, 9));
      await expect.poll(() => recorded.arrived).toBe(3_000);
    });

    test('is destroyed at once with writes that are stuck', async () => {
      const { recorded, link, peer } = await openPair();
      peer.stall();
      for (let at = 0; at < 1_024; at += 1) link.send(pattern(4_096, at));
      await expect.poll(() => link.queued).toBeGreaterThan(0);
      link.destroy();
      await closed(recorded).toBe('link_ended');
    });

    test('ends although the peer never takes what is queued', async () => {
      const { recorded, link, peer } = await openPair();
      peer.stall();
      for (let at = 0; at < 1_024; at += 1) link.send(pattern(4_096, at));
      await expect.poll(() => link.queued).toBeGreaterThan(0);
      link.end();
      await closed(recorded).toBe('link_ended');
    });
  });
}
