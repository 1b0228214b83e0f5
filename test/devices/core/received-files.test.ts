import { describe, expect, it } from 'vitest';
import { chunkMessage } from '../../../src/devices/core/chunk-message.ts';
import { ReceivedFiles } from '../../../src/devices/core/file-receiver.ts';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { Effect } from '../../../src/devices/core/session-events.ts';
import { bytesValue } from '../../../src/protocol/declared/value.ts';
import type { DeclaredRequest } from '../../../src/protocol/message.ts';
import { declaredProtocol, OVEN } from '../../support/declared.ts';
import { SessionBench, settings } from '../../support/session-bench.ts';

const at = (monoMs: number) => ({ monoMs, wallMs: monoMs });
const limits = { maxBytes: 1_000, maxTransfers: 2, patienceMs: 1_000 };

const CHUNKS = { name: 'file_chunk', chunkBytes: 1_024, saysSize: true, saysCrc: true };

function bench() {
  const effects: Effect[] = [];
  const files = new ReceivedFiles(CHUNKS, limits, (effect) => effects.push(effect));
  const chunk = (index: number, message = 'file_chunk'): DeclaredRequest => ({
    name: 'declared',
    kind: 'request',
    message,
    id: 0x20,
    fields: { transfer: 1, index, total: 2, data: bytesValue(new Uint8Array(10).fill(index)) },
    raw: {},
    issues: [],
  });
  const taken = () =>
    effects.splice(0).map((effect) => {
      if (effect.type === 'send')
        return `send ${effect.message.kind === 'reply' ? effect.message.error : '?'}`;
      return effect.type === 'storeChunk' ? `store ${effect.offset}` : effect.type;
    });
  return { files, chunk, taken };
}

describe('chunks of a device', () => {
  it('are answered when they are stored, not before', () => {
    const { files, chunk, taken } = bench();
    expect(files.takes(chunk(0), at(0))).toBe(true);
    expect(taken()).toEqual(['store 0']);
    files.stored(1, true, at(1));
    expect(taken()).toEqual(['send 0']);
  });

  it('that the disk does not take are refused', () => {
    const { files, chunk, taken } = bench();
    files.takes(chunk(0), at(0));
    files.stored(1, false, at(1));
    expect(taken()).toEqual(['store 0', 'send -1']);
  });

  it('make room on the disk again where the file turns out too large', () => {
    const { files, chunk, taken } = bench();
    files.takes(chunk(0), at(0));
    files.stored(1, true, at(0));
    taken();
    const large = { ...chunk(1), fields: { ...chunk(1).fields, data: bytesValue(new Uint8Array(1_000)) } };
    files.takes(large, at(1));
    expect(taken()).toEqual(['log', 'dropFile', 'send -1']);
    files.takes(chunk(0), at(2));
    expect(taken()).toEqual(['store 0']);
    const said = { ...chunk(1), fields: { ...chunk(1).fields, size: 1_001 } };
    files.takes(said, at(3));
    expect(taken()).toEqual(['log', 'dropFile', 'send -1']);
  });

  it('that come again over the next link, while the disk is at it, are answered there', () => {
    const { files, chunk, taken } = bench();
    files.takes(chunk(0), at(0));
    files.linkLost();
    files.takes(chunk(0), at(1));
    files.stored(1, true, at(2));
    expect(taken()).toEqual(['store 0', 'send 0']);
  });

  it('are answered on their own link only: over the next one the device asks again, and is told', () => {
    const { files, chunk, taken } = bench();
    files.takes(chunk(0), at(0));
    files.linkLost();
    files.stored(1, true, at(1));
    expect(taken()).toEqual(['store 0']);
    files.takes(chunk(0), at(2));
    expect(taken()).toEqual(['send 0']);
  });

  it('say what the whole file must be, and one that is too large is refused at once', () => {
    const { chunk } = bench();
    const stored: Effect[] = [];
    const whole = new ReceivedFiles(CHUNKS, limits, (effect) => stored.push(effect));
    const said = (size: number) => ({ ...chunk(0), fields: { ...chunk(0).fields, size, file_crc: 7 } });
    whole.takes(said(1_001), at(0));
    expect(stored).toMatchObject([{ type: 'log' }, { type: 'send', message: { error: -1 } }]);
    whole.takes(said(1_000), at(0));
    expect(stored.at(-1)).toMatchObject({ type: 'storeChunk', whole: { size: 1_000, crc32: 7 } });
  });

  it('are given up after a long pause', () => {
    const { files, chunk, taken } = bench();
    files.takes(chunk(0), at(0));
    files.stored(1, true, at(0));
    expect(files.nextDeadline()).toBe(1_000);
    files.expire(at(1_000));
    expect(taken()).toEqual(['store 0', 'send 0', 'dropFile']);
    expect(files.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('go on after a restart, as far as they can; the rest is removed', () => {
    const { files, chunk, taken } = bench();
    const half = { total: 2, next: 1, bytes: 10, lastSum: 1 };
    files.restore(
      [1, 2, 3].map((transfer) => ({ ...half, transfer })),
      at(0),
    );
    expect(taken()).toEqual(['dropFile']);
    files.takes(chunk(1), at(1));
    files.stored(1, true, at(1));
    expect(taken()).toEqual(['store 10', 'send 0']);
  });

  it('go on no more with a device that sends no files now', () => {
    const half = { transfer: 7, total: 2, next: 1, bytes: 10, lastSum: 1 };
    const session = new SessionBench(settings());
    expect(session.tell({ type: 'partialsFound', partials: [half] })).toEqual(['drop 7']);
  });

  it('are no other messages', () => {
    const { files, chunk, taken } = bench();
    expect(files.takes(chunk(0, 'report'), at(0))).toBe(false);
    expect(taken()).toEqual([]);
  });
});

describe('the message that carries files', () => {
  it('is found by its fields and its reply, for the side that sends it', () => {
    const plain = { name: 'file_chunk', chunkBytes: 1_024, saysSize: false, saysCrc: false };
    expect(chunkMessage(OVEN, 'host')).toEqual(plain);
    const oneWay = OVEN.map((each) => ({ ...each, from: 'device' as const }));
    expect(chunkMessage(oneWay, 'host')).toBeUndefined();
    expect(chunkMessage(oneWay, 'device')?.name).toBe('file_chunk');
    expect(
      chunkMessage(new MessageCatalog(declaredProtocol(OVEN.slice(0, 3))).declarations, 'device'),
    ).toBeUndefined();
  });
});
