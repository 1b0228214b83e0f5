import { describe, expect, it } from 'vitest';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { declaredProtocol } from '../../support/declared.ts';
import { PolledLine, plainProtocol } from '../../support/polled-line.ts';
import { SessionBench, settings } from '../../support/session-bench.ts';

const MESSAGES: readonly MessageDeclaration[] = [
  {
    name: 'head',
    id: 1,
    from: 'device',
    fields: [
      { name: 'kind', type: 'u8', value: 1 },
      { name: 'volt', type: 'u8' },
    ],
  },
  {
    name: 'tail',
    id: 2,
    from: 'device',
    fields: [
      { name: 'kind', type: 'u8', value: 2 },
      { name: 'amp', type: 'u8' },
    ],
  },
  {
    name: 'block',
    from: 'device',
    assemble: { parts: ['head', 'tail'], first: 'head', last: 'tail', withinMs: 2_000 },
  },
];

const HEAD = Uint8Array.of(1, 230);
const TAIL = Uint8Array.of(2, 5);

describe('a group of several messages', () => {
  const line = (): PolledLine =>
    new PolledLine(plainProtocol(MESSAGES.map(({ id: _, ...message }) => message)), [], () => []);

  it('is reported as incomplete when its time is over, though nothing more comes', () => {
    const device = line();
    device.receive(HEAD);
    device.pass(2_000);
    expect(device.stats.invalid).toBe(0);
    device.pass(1);
    expect(device.stats.invalid).toBe(1);
    expect(device.values).toEqual({});
    // What comes later belongs to no group.
    device.receive(TAIL);
    device.pass(10_000);
    expect(device.stats.invalid).toBe(1);
    expect(device.values).toEqual({});
  });

  it('has no deadline when it is complete', () => {
    const device = line();
    device.receive(HEAD);
    device.pass(1_999);
    device.receive(TAIL);
    device.pass(10_000);
    expect(device.stats.invalid).toBe(0);
    expect(device.values).toEqual({ block: { volt: 230, amp: 5 } });
  });

  it('is reported beside the built-in messages too', () => {
    const protocol = declaredProtocol([
      ...['head', 'tail'].map((name, at) => ({ name, id: 0x21 + at, from: 'device' as const })),
      ...MESSAGES.slice(2),
    ]);
    const bench = new SessionBench(settings(), () => 0.5, new MessageCatalog(protocol));
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
    const head = protocol.decode(Uint8Array.of(0x21));
    if (head.name !== 'declared') throw new Error('no message');
    bench.message(head);
    expect(bench.stats?.invalid ?? 0).toBe(0);
    bench.pass(2_001);
    expect(bench.session.stats.counts.invalid).toBe(1);
  });
});
