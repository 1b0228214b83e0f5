import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunk, FileReceiver, type ReceiveVerdict } from '../../../src/devices/core/file-receiver.ts';
import { FileSender, type SendStep } from '../../../src/devices/core/file-sender.ts';
import type { PartialUpload, UploadCheckpoint } from '../../../src/devices/core/partial-upload.ts';
import type { RequestOutcome } from '../../../src/devices/core/session-events.ts';

const taken: RequestOutcome = { ok: true, error: 0, fields: {}, roundTripMs: 1 };
const refused: RequestOutcome = { ok: true, error: -5, fields: {}, roundTripMs: 1 };
const lost: RequestOutcome = { ok: false, code: 'link_lost', detail: 'the link was lost' };

const sender = (size: number, now = 0) =>
  new FileSender({ transfer: 7, size, chunkBytes: 1_024, stallLimitMs: 60_000 }, now);

const words = (step: SendStep): string => {
  switch (step.do) {
    case 'send':
      return `send ${step.index}/${step.total} ${step.offset}+${step.length}`;
    case 'wait':
      return `wait ${step.until}`;
    case 'done':
      return 'done';
    case 'failed':
      return `failed ${step.code}`;
  }
};

describe('a file that is sent', () => {
  it.each([
    [0, ['send 0/1 0+0']],
    [1, ['send 0/1 0+1']],
    [1_024, ['send 0/1 0+1024']],
    [2_050, ['send 0/3 0+1024', 'send 1/3 1024+1024', 'send 2/3 2048+2']],
  ])('of %i bytes goes out chunk by chunk', (size, chunks) => {
    const file = sender(size);
    const seen: string[] = [];
    for (const _ of chunks) {
      seen.push(words(file.next(0)));
      file.settled(taken, 0);
    }
    expect(seen).toEqual(chunks);
    expect(words(file.next(0))).toBe('done');
    expect(file.progress).toEqual({ bytes: size, size, repeated: 0, resumed: 0 });
  });

  it('goes on with the same chunk over the next link, with growing pauses', () => {
    const file = sender(4_000);
    file.next(0);
    file.settled(taken, 0);
    const seen: string[] = [];
    let now = 0;
    for (let times = 0; times < 7; times++) {
      seen.push(words(file.next(now)));
      file.settled(lost, now);
      const pause = file.next(now);
      if (pause.do !== 'wait') throw new Error(words(pause));
      seen.push(`pause ${pause.until - now}`);
      now = pause.until;
    }
    expect(new Set(seen.filter((each) => each.startsWith('send')))).toEqual(new Set(['send 1/4 1024+1024']));
    expect(seen.filter((each) => each.startsWith('pause')).map((each) => Number(each.slice(6)))).toEqual([
      50, 100, 200, 400, 800, 1_000, 1_000,
    ]);
    file.next(now);
    file.settled(taken, now);
    expect(words(file.next(now))).toBe('send 2/4 2048+1024');
    expect(file.progress).toMatchObject({ bytes: 2_048, repeated: 7, resumed: 1 });
  });

  it('goes on where a defect ended the link, and the device is taken up afresh', () => {
    const file = sender(2_000);
    file.next(0);
    file.settled({ ok: false, code: 'internal_error', detail: 'TypeError: the clock is broken' }, 0);
    expect(words(file.next(0))).toBe('wait 50');
    expect(words(file.next(50))).toBe('send 0/2 0+1024');
    file.settled(taken, 50);
    expect(file.progress).toMatchObject({ bytes: 1_024, repeated: 1, resumed: 1 });
  });

  it('begins anew where the device forgot what it had over a break', () => {
    const file = sender(4_000);
    file.next(0);
    file.settled(taken, 0);
    file.next(0);
    file.settled(lost, 0);
    file.next(100);
    file.settled(refused, 100);
    expect(words(file.next(100))).toBe('send 0/4 0+1024');
  });

  it('fails where a chunk is refused without a break, with its code', () => {
    const file = sender(4_000);
    file.next(0);
    file.settled(refused, 0);
    const end = file.next(0);
    expect(end).toMatchObject({
      do: 'failed',
      code: 'transfer_refused',
      detail: expect.stringContaining('error -5'),
    });
  });

  it('fails when nothing was acknowledged for too long', () => {
    const file = sender(4_000);
    file.next(0);
    file.settled(lost, 59_990);
    expect(words(file.next(59_990))).toBe('wait 60000');
    expect(words(file.next(60_000))).toBe('failed transfer_stalled');
  });

  it('fails at once where trying again can not help', () => {
    const file = sender(4_000);
    file.next(0);
    file.settled({ ok: false, code: 'message_unknown', detail: 'there is no such message' }, 0);
    expect(words(file.next(0))).toBe('failed message_unknown');
  });
});

const limits = { maxBytes: 4_096, maxTransfers: 2, patienceMs: 600_000 };
const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);
const said = (verdict: ReceiveVerdict): string =>
  verdict.do === 'store' ? `store ${verdict.offset}` : verdict.do === 'refuse' ? verdict.why : verdict.do;

describe('a file that is received', () => {
  it('is acknowledged chunk by chunk, once each is stored', () => {
    const files = new FileReceiver(limits);
    expect(said(files.chunk({ transfer: 1, index: 0, total: 2, data: bytes(1_000) }, 0))).toBe('store 0');
    expect(said(files.chunk({ transfer: 1, index: 0, total: 2, data: bytes(1_000) }, 0))).toBe('nothing');
    expect(files.stored(1, true, 0)).toEqual({ complete: false });
    expect(said(files.chunk({ transfer: 1, index: 1, total: 2, data: bytes(5) }, 0))).toBe('store 1000');
    expect(files.stored(1, true, 0)).toEqual({ complete: true });
  });

  it('takes a repeated chunk for what it is: before, behind the end, and not a new file', () => {
    const files = new FileReceiver(limits);
    for (const index of [0, 1]) {
      files.chunk({ transfer: 1, index, total: 2, data: bytes(10, index) }, 0);
      files.stored(1, true, 0);
      expect(said(files.chunk({ transfer: 1, index, total: 2, data: bytes(10, index) }, 0))).toBe(
        'acknowledge',
      );
    }
    expect(said(files.chunk({ transfer: 1, index: 0, total: 2, data: bytes(10, 9) }, 1))).toBe('store 0');
  });

  it('begins anew when its first chunk comes anew', () => {
    const files = new FileReceiver(limits);
    for (const index of [0, 1]) {
      files.chunk({ transfer: 1, index, total: 3, data: bytes(10, index) }, 0);
      files.stored(1, true, 0);
    }
    expect(said(files.chunk({ transfer: 1, index: 0, total: 3, data: bytes(10) }, 0))).toBe('store 0');
  });

  it('is not taken for the former one where it begins anew while the disk is at a chunk of that', () => {
    const files = new FileReceiver(limits);
    files.chunk({ transfer: 1, index: 0, total: 3, data: bytes(10, 1) }, 0);
    files.stored(1, true, 0);
    files.chunk({ transfer: 1, index: 1, total: 3, data: bytes(10, 2) }, 0);
    const first = { transfer: 1, index: 0, total: 3, data: bytes(10, 9) };
    expect(said(files.chunk(first, 0))).toBe('out_of_order');
    files.stored(1, true, 0);
    expect(said(files.chunk(first, 0))).toBe('store 0');
  });

  it.each([
    ['a gap', { transfer: 1, index: 2, total: 9, data: bytes(1) }, 'out_of_order'],
    ['another total', { transfer: 1, index: 1, total: 8, data: bytes(1) }, 'contradictory'],
    ['an index behind the end', { transfer: 2, index: 9, total: 9, data: bytes(1) }, 'contradictory'],
    ['no chunks at all', { transfer: 2, index: 0, total: 0, data: bytes(1) }, 'contradictory'],
    ['too much', { transfer: 1, index: 1, total: 9, data: bytes(4_087) }, 'too_large'],
    ['a middle without a beginning', { transfer: 3, index: 4, total: 9, data: bytes(1) }, 'out_of_order'],
  ])('is refused with %s', (_, chunk, why) => {
    const files = new FileReceiver(limits);
    files.chunk({ transfer: 1, index: 0, total: 9, data: bytes(10) }, 0);
    files.stored(1, true, 0);
    expect(said(files.chunk(chunk, 0))).toBe(why);
  });

  it('is one of few at a time, and given up when it stays away', () => {
    const files = new FileReceiver(limits);
    for (const transfer of [1, 2]) {
      files.chunk({ transfer, index: 0, total: 9, data: bytes(10) }, transfer);
      files.stored(transfer, true, transfer);
    }
    expect(said(files.chunk({ transfer: 3, index: 0, total: 9, data: bytes(10) }, 3))).toBe('too_many');
    expect(files.nextDeadline()).toBe(600_001);
    expect(files.expire(600_001)).toEqual([1]);
    expect(said(files.chunk({ transfer: 3, index: 0, total: 9, data: bytes(10) }, 600_001))).toBe('store 0');
  });

  it('says how far it is with each chunk but the last', () => {
    const files = new FileReceiver(limits);
    const checkpoint = (index: number) => {
      const verdict = files.chunk({ transfer: 1, index, total: 2, data: bytes(10), whole: { size: 20 } }, 0);
      files.stored(1, true, 0);
      return verdict.do === 'store' ? verdict.checkpoint : verdict;
    };
    expect(checkpoint(0)).toEqual({ total: 2, next: 1, lastSum: expect.any(Number), whole: { size: 20 } });
    expect(checkpoint(1)).toBeUndefined();
  });

  it('arrives whole over a link that loses questions and answers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.array(fc.integer({ min: 0, max: 5 })),
        (size, fates) => {
          const file = Uint8Array.from({ length: size }, (_, index) => (index * 31) & 0xff);
          const out: number[] = [];
          const sending = sender(size);
          const files = new FileReceiver({ ...limits, maxBytes: 1 << 20 });
          let now = 0;
          for (let turn = 0; ; turn++) {
            const step = sending.next(now);
            if (step.do === 'done') break;
            if (step.do === 'failed') throw new Error(step.detail);
            if (step.do === 'wait') {
              now = step.until;
              continue;
            }
            const fate = fates[turn] ?? 5;
            if (fate > 0) {
              const data = file.subarray(step.offset, step.offset + step.length);
              const verdict = files.chunk({ transfer: 7, index: step.index, total: step.total, data }, now);
              if (verdict.do === 'store') {
                expect(verdict.offset).toBe(out.length);
                out.push(...data);
                files.stored(7, true, now);
              } else expect(verdict.do).toBe('acknowledge');
            }
            sending.settled(fate > 1 ? taken : lost, now);
          }
          expect(Uint8Array.from(out)).toEqual(file);
        },
      ),
    );
  });
});

describe('a file that is gone on with after a restart', () => {
  const SAID = { size: 90, crc32: 7 };
  const chunkAt = (index: number, changes: Partial<Chunk> = {}): Chunk => ({
    transfer: 1,
    index,
    total: 9,
    data: bytes(10, index),
    whole: SAID,
    ...changes,
  });

  /** A new run, in which the first `next` chunks are there. */
  function restored(next: number): FileReceiver {
    const former = new FileReceiver(limits);
    let checkpoint: UploadCheckpoint | undefined;
    for (let index = 0; index < next; index++) {
      const verdict = former.chunk(chunkAt(index), 0);
      if (verdict.do === 'store') checkpoint = verdict.checkpoint;
      former.stored(1, true, 0);
    }
    const files = new FileReceiver(limits);
    if (checkpoint === undefined) throw new Error('nothing was stored');
    expect(files.restore({ transfer: 1, bytes: next * 10, ...checkpoint }, 1_000)).toBe(true);
    return files;
  }

  it.each<[string, number, Chunk, string]>([
    ['with the chunk that is missing next', 3, chunkAt(3), 'store 30'],
    ['with one of which the answer was lost', 3, chunkAt(2), 'acknowledge'],
    ['with the only one, of which the answer was lost', 1, chunkAt(0), 'acknowledge'],
    ['not with one behind a gap', 3, chunkAt(4), 'out_of_order'],
    ['not where it has another number of chunks', 3, chunkAt(3, { total: 8 }), 'contradictory'],
    ['not where it has another size', 3, chunkAt(3, { whole: { ...SAID, size: 89 } }), 'contradictory'],
    ['not where it has another sum', 3, chunkAt(3, { whole: { ...SAID, crc32: 8 } }), 'contradictory'],
    ['not with a chunk that says less', 3, chunkAt(3, { whole: {} }), 'contradictory'],
    ['but from its beginning, where its first chunk comes', 3, chunkAt(0), 'store 0'],
    [
      'but from the beginning of another, under the same number',
      1,
      chunkAt(0, { data: bytes(10, 9) }),
      'store 0',
    ],
    [
      'but from the beginning of another that begins alike',
      1,
      chunkAt(0, { whole: { size: 80 } }),
      'store 0',
    ],
    ['but not with another transfer', 3, chunkAt(3, { transfer: 2 }), 'out_of_order'],
  ])('goes on %s', (_, next, chunk, verdict) => {
    expect(said(restored(next).chunk(chunk, 1_000))).toBe(verdict);
  });

  it('is what it was before, once a chunk has come', () => {
    const files = restored(3);
    files.chunk(chunkAt(3), 1_000);
    expect(files.stored(1, true, 1_000)).toEqual({ complete: false });
    // What its chunks say is compared with the whole file in the end, as always.
    for (let index = 4; index < 9; index++) {
      expect(said(files.chunk(chunkAt(index, { whole: { crc32: index } }), 1_000))).toBe(
        `store ${index * 10}`,
      );
      expect(files.stored(1, true, 1_000)).toEqual({ complete: index === 8 });
    }
  });

  it('is given up where it stays away, from the restart on', () => {
    const files = restored(3);
    expect(files.nextDeadline()).toBe(601_000);
    expect(files.expire(601_000)).toEqual([1]);
  });

  it.each<[string, Partial<PartialUpload>]>([
    ['nothing is there', { next: 0 }],
    ['all is there', { next: 9 }],
    ['it is too large', { bytes: 4_097 }],
    ['it is there already', { transfer: 1 }],
  ])('is none where %s', (_, changes) => {
    const checkpoint = { transfer: 5, total: 9, next: 3, bytes: 30, lastSum: 1, ...changes };
    expect(restored(3).restore(checkpoint, 0)).toBe(false);
  });

  it('is one of few', () => {
    const files = restored(3);
    const checkpoint = { total: 9, next: 3, bytes: 30, lastSum: 1 };
    expect([2, 3].map((transfer) => files.restore({ ...checkpoint, transfer }, 0))).toEqual([true, false]);
  });
});
