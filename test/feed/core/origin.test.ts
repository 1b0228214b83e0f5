import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedView } from '../../../src/client/view.ts';
import type { ServerMessage } from '../../../src/contract/feed/server-messages.ts';
import { Encoder } from '../../../src/feed/core/encoder.ts';
import { FeedStore } from '../../../src/feed/core/store.ts';

const T = 'devices/a/state';
const NOW = { monoMs: 1, wallMs: 1 };

function made() {
  const store = new FeedStore({ epoch: 'here' });
  const text = new TextDecoder();
  const encoder = new Encoder('here', (parts) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
  );
  const view = new FeedView();
  let asked = 0;
  const apply = (frame: Uint8Array): void => {
    const { resync } = view.apply(JSON.parse(text.decode(frame)) as ServerMessage);
    for (const topic of resync) {
      asked++;
      apply(encoder.full(store.version(topic), NOW));
    }
  };
  return { store, encoder, view, apply, asked: () => asked };
}

describe('documents of several instances', () => {
  it('are counted by their owner: a patch goes on from what another instance gave', () => {
    const { store, encoder, view, apply, asked } = made();
    // As the owner gave it to the subscriber.
    view.apply({
      type: 'snapshot',
      id: 'x',
      timestamp: 1,
      payload: { items: [{ topic: T, epoch: 'north', rev: 900, seq: 7, state: { n: 7 } }], removed: [] },
    });
    store.publishState(T, { n: 7 }, { epoch: 'north', seq: 7 });
    store.listen((change) => apply(encoder.change(change, NOW)));
    store.publishState(T, { n: 8 }, { epoch: 'north', seq: 8 });
    expect([view.document(T), asked()]).toEqual([{ n: 8 }, 0]);
  });

  it('never leave a subscriber with another document, whoever owns them, and whatever it missed', () => {
    const step = fc.record({
      kind: fc.constantFrom('own', 'own', 'north', 'north', 'south', 'adopt', 'remove'),
      // Else it was behind, and gets the present document.
      live: fc.boolean(),
      value: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { store, encoder, view, apply } = made();
        const seqs = { north: 0, south: 0 };
        let live = true;
        let dirty = false;
        store.listen((change) => {
          if (live) apply(encoder.change(change, NOW));
          else dirty = true;
        });
        for (const { kind, value, ...each } of steps) {
          if (each.live && dirty) apply(encoder.full(store.version(T), NOW));
          if (each.live) dirty = false;
          live = each.live;
          if (kind === 'own') store.publishState(T, { value });
          else if (kind === 'adopt') store.adopt(T);
          else if (kind === 'remove') store.removeState(T);
          else store.publishState(T, { value, kind }, { epoch: kind, seq: ++seqs[kind] });
        }
        if (dirty) apply(encoder.full(store.version(T), NOW));
        expect(view.document(T)).toEqual(store.document(T));
      }),
      { numRuns: 2_000 },
    );
  });
});
