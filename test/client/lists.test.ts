import { describe, expect, it } from 'vitest';
import { LiveView } from '../../src/client/live-view.ts';
import { FeedView } from '../../src/client/view.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';

let rev = 0;
const state = (topic: string, document: { readonly n: number } | undefined): ServerMessage => {
  const version = { topic, epoch: 'e', rev: ++rev, seq: rev };
  const payload =
    document === undefined
      ? ({ ...version, removed: true } as const)
      : ({ ...version, full: true, state: document } as const);
  return { type: 'update', id: 'x', timestamp: 1, payload };
};

describe('the lists of a view', () => {
  const documents = new FeedView();
  const view = new LiveView(documents);
  const lists = () => [view.devices(), view.topics()] as const;

  it('are the same until they are others', () => {
    const empty = lists();
    expect(empty).toEqual([[], []]);
    expect(lists()).toSatisfy(sameAs(empty));

    documents.apply(state('devices/a/state', { n: 1 }));
    const one = lists();
    expect(one).toEqual([['a'], ['devices/a/state']]);
    documents.apply(state('devices/a/state', { n: 2 }));
    expect(lists()).toSatisfy(sameAs(one));

    documents.apply(state('devices/a/stats', { n: 1 }));
    expect(view.devices()).toBe(one[0]);
    expect(view.topics()).toEqual(['devices/a/state', 'devices/a/stats']);

    documents.apply(state('devices/b/state', { n: 1 }));
    expect(view.devices()).toEqual(['a', 'b']);
    documents.apply(state('devices/a/state', undefined));
    expect(lists()).toEqual([['b'], ['devices/a/stats', 'devices/b/state']]);
    documents.apply(state('devices/a/state', { n: 3 }));
    expect([...view.devices()].sort()).toEqual(['a', 'b']);
    documents.keepOnly(new Set(['devices/b/#']));
    expect(lists()).toEqual([['b'], ['devices/b/state']]);
  });
});

const sameAs =
  (before: readonly unknown[]) =>
  (now: readonly unknown[]): boolean =>
    now.every((each, index) => each === before[index]);
