import { describe, expect, it } from 'vitest';
import { FeedView } from '../../src/client/view.ts';
import type {
  ServerMessage,
  SnapshotItem,
  UpdatePayload,
  Version,
} from '../../src/contract/feed/server-messages.ts';

const T = 'devices/a/state';
const envelope = { id: 'x', timestamp: 1 };
const version = (seq: number, more: Partial<Version> = {}): Version => ({
  topic: T,
  epoch: 'one',
  rev: seq,
  seq,
  ...more,
});
const item = (seq: number, state: SnapshotItem['state'], more: Partial<Version> = {}): SnapshotItem => ({
  ...version(seq, more),
  state,
});
const update = (payload: UpdatePayload): ServerMessage => ({ ...envelope, type: 'update', payload });
const snapshot = (items: SnapshotItem[], removed: Version[] = []): ServerMessage => ({
  ...envelope,
  type: 'snapshot',
  payload: { items, removed },
});
const synced = (replyTo: string, topics: string[]): ServerMessage => ({
  ...envelope,
  type: 'synced',
  payload: { reply_to: replyTo, mode: 'full', topics, position: { one: 99 } },
});

function viewAt(seq: number): FeedView {
  const view = new FeedView();
  view.connected();
  view.apply(snapshot([item(seq, { status: 'online', reason: 'why' })]));
  return view;
}

describe('the client’s rule', () => {
  const patch = { status: 'stale', reason: null };
  it.each<[string, UpdatePayload, unknown, string[]]>([
    ['the next patch', { ...version(5), prev: 4, patch }, { status: 'stale' }, []],
    ['a patch after a leap in seq', { ...version(9), prev: 4, patch }, { status: 'stale' }, []],
    ['an old patch', { ...version(4), prev: 3, patch }, { status: 'online', reason: 'why' }, []],
    [
      'a patch of another document',
      { ...version(6), prev: 5, patch },
      { status: 'online', reason: 'why' },
      [T],
    ],
    [
      'a patch of another epoch',
      { ...version(5, { epoch: 'two' }), prev: 4, patch },
      { status: 'online', reason: 'why' },
      [T],
    ],
    [
      'a patch of an unknown topic',
      { ...version(5, { topic: 'devices/b/state' }), prev: 4, patch },
      { status: 'online', reason: 'why' },
      ['devices/b/state'],
    ],
    ['a newer full one', { ...version(7), full: true, state: { status: 'away' } }, { status: 'away' }, []],
    [
      'an old full one',
      { ...version(4), full: true, state: { status: 'away' } },
      { status: 'online', reason: 'why' },
      [],
    ],
    [
      'a full one of another epoch',
      { ...version(1, { epoch: 'two' }), full: true, state: { status: 'away' } },
      { status: 'away' },
      [],
    ],
    ['a removal', { ...version(5), removed: true }, undefined, []],
    ['an old removal', { ...version(4), removed: true }, { status: 'online', reason: 'why' }, []],
    [
      'a removal of another epoch',
      { ...version(5, { epoch: 'two' }), removed: true },
      { status: 'online', reason: 'why' },
      [T],
    ],
  ])('%s', (_what, payload, document, resync) => {
    const view = viewAt(4);
    const result = view.apply(update(payload));
    expect(view.document(T)).toEqual(document);
    expect(result.resync).toEqual(resync);
  });

  it('asks for a document once, until it has come', () => {
    const view = viewAt(4);
    const lost = update({ ...version(9), prev: 8, patch });
    expect(view.apply(lost).resync).toEqual([T]);
    expect(view.apply(lost).resync).toEqual([]);
    view.apply(snapshot([item(9, { status: 'x' })]));
    expect(view.apply(update({ ...version(12), prev: 11, patch })).resync).toEqual([T]);
    view.connected();
    expect(view.apply(update({ ...version(12), prev: 11, patch })).resync).toEqual([T]);
  });

  it('counts on where a removed topic returns', () => {
    const view = viewAt(4);
    view.apply(snapshot([], [version(5)]));
    expect([...view.topics()]).toEqual([]);
    expect(view.apply(update({ ...version(5), full: true, state: {} })).changes).toEqual([]);
    expect(view.apply(update({ ...version(6), prev: 5, patch })).resync).toEqual([T]);
    expect(view.apply(update({ ...version(7), full: true, state: { a: 1 } })).changes).toHaveLength(1);
    expect([...view.topics()]).toEqual([T]);
  });
});

describe('a full answer', () => {
  it('deletes what it covers and did not hold, and nothing else', () => {
    const view = viewAt(4);
    view.apply(
      snapshot([item(1, {}, { topic: 'devices/b/state' }), item(1, {}, { topic: 'bridge/status' })]),
    );
    view.connected();
    view.subscribing('1');
    view.apply(snapshot([item(4, { status: 'online', reason: 'why' })]));
    const { changes } = view.apply(synced('1', ['devices/+/state']));
    expect(changes).toEqual([{ topic: 'devices/b/state', document: undefined }]);
    expect([...view.topics()].sort()).toEqual(['bridge/status', T]);
    expect(view.position).toEqual({ one: 99 });
  });

  it('keeps a topic that was new in between', () => {
    const view = new FeedView();
    view.subscribing('1');
    view.apply(update({ ...version(1), full: true, state: { status: 'online' } }));
    expect(view.apply(synced('1', ['#'])).changes).toEqual([]);
    expect(view.document(T)).toEqual({ status: 'online' });
  });

  it('to somebody else’s question deletes nothing', () => {
    const view = viewAt(4);
    expect(view.apply(synced('7', ['#'])).changes).toEqual([]);
    expect(view.document(T)).toBeDefined();
  });

  it('is no news where nothing changed', () => {
    const view = viewAt(4);
    view.connected();
    view.subscribing('1');
    expect(view.apply(snapshot([item(4, { status: 'online', reason: 'why' })])).changes).toEqual([]);
    expect(view.apply(synced('1', ['#'])).changes).toEqual([]);
  });
});

describe('where a connection goes on', () => {
  const position = (rev: number): ServerMessage => ({
    ...envelope,
    type: 'position',
    payload: { position: { one: rev } },
  });
  const event = (seq: number, epoch = 'one'): ServerMessage => ({
    ...envelope,
    type: 'event',
    payload: { topic: 'devices/a/messages', epoch, rev: seq, seq, data: {} },
  });
  const gap = (from: number, to: number, epoch = 'one'): ServerMessage => ({
    ...envelope,
    type: 'gap',
    payload: { topic: 'devices/a/messages', epoch, from_seq: from, to_seq: to, reason: 'expired' },
  });

  it('is the last position of the patterns that were synced up to it, and of no others', () => {
    const view = new FeedView();
    expect(view.since(['a'])).toBeUndefined();
    view.connected();
    view.apply(position(5));
    expect(view.since(['a'])).toBeUndefined();
    view.apply(synced('1', ['a', 'b']));
    expect(view.since(['a', 'b'])).toEqual({ one: 99 });
    expect(view.since(['a', 'c'])).toBeUndefined();
    view.apply(position(120));
    expect(view.since(['a'])).toEqual({ one: 120 });
  });

  it('forgets patterns that a later connection was not synced on', () => {
    const view = new FeedView();
    view.connected();
    view.apply(synced('1', ['a', 'b']));
    view.connected();
    expect(view.since(['a', 'b'])).toEqual({ one: 99 });
    view.apply(synced('2', ['a']));
    expect(view.since(['a'])).toEqual({ one: 99 });
    expect(view.since(['b'])).toBeUndefined();
  });

  it('keeps what did not change while it was away', () => {
    const view = viewAt(4);
    view.connected();
    view.subscribing('2');
    const since: ServerMessage = {
      ...envelope,
      type: 'synced',
      payload: { reply_to: '2', mode: 'since', topics: ['#'], position: { one: 99 } },
    };
    expect(view.apply(since).changes).toEqual([]);
    expect(view.document(T)).toBeDefined();
  });

  it('takes no event for new that came before, and no gap for a loss where nothing is missing', () => {
    const view = new FeedView();
    for (const seq of [1, 2, 3]) expect(view.apply(event(seq)).repeated).toBe(false);
    expect(view.apply(event(3)).repeated).toBe(true);
    expect(view.apply(event(1, 'two')).repeated).toBe(false);
    expect(view.apply(gap(1, 40, 'two')).repeated).toBe(false);
    view.apply(event(41, 'two'));
    expect(view.apply(gap(1, 41, 'two')).repeated).toBe(true);
    const acked = { ...event(7, 'two'), ack_required: true } as const;
    expect(view.apply(acked).repeated).toBe(false);
    expect(view.apply(acked).repeated).toBe(true);
  });

  it('takes a broadcast once, plain or to be acknowledged, also one that was before another', () => {
    const view = new FeedView();
    const plain = (seq: number): ServerMessage => ({
      ...envelope,
      id: `r${seq}`,
      type: 'broadcast',
      payload: { ...version(seq, { topic: 'broadcast/all' }), from: 'c', data: seq },
    });
    const acked = (seq: number): ServerMessage => ({ ...plain(seq), ack_required: true });
    for (const message of [plain(7), acked(6), plain(5)]) expect(view.apply(message).repeated).toBe(false);
    for (const seq of [5, 6, 7]) {
      expect(view.apply(plain(seq)).repeated).toBe(true);
      expect(view.apply(acked(seq)).repeated).toBe(true);
    }
    for (let seq = 1; seq <= 2_000; seq++) {
      const payload = { ...version(seq, { topic: 'devices/a/messages' }), data: {} };
      view.apply({ ...envelope, id: `r${seq + 10}`, type: 'event', ack_required: true, payload });
    }
    expect(view.apply(acked(7)).repeated).toBe(true);
  });
});
