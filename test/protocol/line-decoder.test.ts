import { describe, expect, test } from 'vitest';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import type { FrameSink } from '../../src/protocol/decoder.ts';
import { LineDecoder } from '../../src/protocol/line-decoder.ts';
import { fromHex } from './fixtures.ts';
import { RecordingSink } from './recording-sink.ts';

const definition = builtinProtocol();
const HEARTBEAT = '0000000101';
const HEARTBEAT_REPLY = '000000020100';
const REGISTER_REPLY = '000000020000';
const HALF_REGISTER = `0000003400${'33'.repeat(20)}`;

/** Pushes hex, or falls idle at `idle`; returns what was reported, step by step. */
function steps(...script: readonly string[]): string[][] {
  return stepsWhile(undefined, ...script);
}

/** The same while the reply to this message is awaited. */
function stepsWhile(awaited: string | undefined, ...script: readonly string[]): string[][] {
  const sink = Object.assign(new RecordingSink(definition), {
    awaitsReply: (message?: string) => awaited !== undefined && (message ?? awaited) === awaited,
  });
  const decoder = new LineDecoder(definition, sink);
  return script.map((step) => {
    if (step === 'idle') decoder.idle();
    else if (step === 'close') decoder.close();
    else decoder.push(fromHex(step));
    return sink.events.splice(0);
  });
}

test('discards are reported with the frame that ends them, or at idle', () => {
  expect(steps('aabb', 'cc', HEARTBEAT, 'dd', 'idle', 'idle')).toEqual([
    [],
    [],
    ['discarded 3 no_header', 'heartbeat request'],
    [],
    ['discarded 1 no_header'],
    [],
  ]);
});

test('at idle a half frame is rescanned for whole ones behind it', () => {
  expect(steps(HEARTBEAT, HALF_REGISTER, HEARTBEAT + HEARTBEAT_REPLY, 'idle')).toEqual([
    ['heartbeat request'],
    [],
    [],
    ['discarded 25 truncated', 'heartbeat request', 'heartbeat reply 0'],
  ]);
});

test('at idle a half frame with nothing behind it is truncated', () => {
  expect(steps(HEARTBEAT, HALF_REGISTER, 'idle', HEARTBEAT)).toEqual([
    ['heartbeat request'],
    [],
    ['discarded 25 truncated'],
    ['heartbeat request'],
  ]);
});

test('idle between frames changes nothing: the line stays in step', () => {
  expect(steps(HEARTBEAT, 'idle', '0000000201f9')).toEqual([
    ['heartbeat request'],
    [],
    ['heartbeat reply -7'],
  ]);
});

test('a false header makes frames wait no longer than until idle', () => {
  expect(steps('550000003400', HEARTBEAT, HEARTBEAT, 'idle')).toEqual([
    [],
    [],
    [],
    ['discarded 1 no_header', 'discarded 5 truncated', 'heartbeat request', 'heartbeat request'],
  ]);
});

describe('a bare reply', () => {
  test('is taken at once on a line just opened, and in step', () => {
    expect(steps(REGISTER_REPLY, REGISTER_REPLY)).toEqual([['register reply 0'], ['register reply 0']]);
  });

  test('waits after damage for the next header', () => {
    expect(steps('55', REGISTER_REPLY, '00000001', '01')).toEqual([
      [],
      [],
      [],
      ['discarded 1 no_header', 'register reply 0', 'heartbeat request'],
    ]);
  });

  test('waits after damage for silence', () => {
    expect(steps('55', REGISTER_REPLY, 'idle', 'close')).toEqual([
      [],
      [],
      ['discarded 1 no_header', 'register reply 0'],
      [],
    ]);
  });

  test('is none if what follows is no header: it was made of two damaged frames', () => {
    // A datetime request that lost its length byte, then a heartbeat.
    expect(steps('55', '00000002', HEARTBEAT)).toEqual([
      [],
      [],
      ['discarded 5 no_header', 'heartbeat request'],
    ]);
  });

  test('with an error code of the device is none after damage', () => {
    expect(steps('55', '000000020105', 'idle')).toEqual([[], [], ['discarded 7 no_header']]);
  });
});

test('unknown ids are never taken on a line', () => {
  expect(steps(HEARTBEAT, '0000000210aa', HEARTBEAT)).toEqual([
    ['heartbeat request'],
    [],
    ['discarded 6 no_header', 'heartbeat request'],
  ]);
});

test('reports carry what was expected, what was seen, and a sample of at most 64 bytes', () => {
  const sink = new RecordingSink(definition);
  const decoder = new LineDecoder(definition, sink);
  decoder.push(new Uint8Array(100).fill(0x41));
  decoder.push(fromHex(HEARTBEAT));
  decoder.push(fromHex('000000020200'));
  decoder.push(fromHex(HEARTBEAT));
  decoder.push(fromHex('0000003400'));
  decoder.close();
  expect(sink.discards).toEqual([
    {
      count: 100,
      reason: 'no_header',
      expected: 'the length and id of register, heartbeat, datetime',
      seen: `${'41'.repeat(16)}...`,
      sample: new Uint8Array(64).fill(0x41),
    },
    {
      count: 6,
      reason: 'bad_content',
      expected: 'datetime reply: an error code other than 0 (-1 where the line is out of step)',
      seen: '000000020200',
      sample: fromHex('000000020200'),
    },
    {
      count: 5,
      reason: 'truncated',
      expected: 'a whole register request of 52 bytes',
      seen: '0000003400',
      sample: fromHex('0000003400'),
    },
  ]);
});

test('another protocol on the line is named', () => {
  const sink = new RecordingSink(definition);
  const decoder = new LineDecoder(definition, sink);
  decoder.push(fromHex('fffb2c'));
  decoder.idle();
  expect(sink.discards).toEqual([
    expect.objectContaining({
      count: 3,
      seen: 'a telnet negotiation: IAC WILL 44 (RFC 2217 serial port control)',
    }),
  ]);
});

test('endless garbage is reported as it goes', () => {
  const sink = new RecordingSink(definition);
  const decoder = new LineDecoder(definition, sink);
  for (let round = 0; round < 200; round++) decoder.push(new Uint8Array(1000).fill(0x41));
  expect(sink.discards.map((each) => each.count)).toEqual([66_000, 66_000, 66_000]);
});

describe('the sink', () => {
  test.each(['frame', 'discarded'] as const)(
    'may close the decoder in %s, and hears nothing more',
    (event) => {
      const events: string[] = [];
      const on = (name: string) => () => {
        events.push(name);
        if (name === event) decoder.close();
      };
      const decoder = new LineDecoder(definition, {
        frame: on('frame'),
        discarded: on('discarded'),
        fault: on('fault'),
      });
      decoder.push(fromHex(`55${HEARTBEAT}${HEARTBEAT}00`));
      decoder.push(fromHex(HEARTBEAT));
      decoder.idle();
      decoder.close();
      expect(events).toEqual(event === 'frame' ? ['discarded', 'frame'] : ['discarded']);
      expect(decoder.pending).toBe(0);
    },
  );

  test.each(['push', 'idle'] as const)('must not call %s', (method) => {
    const thrown: unknown[] = [];
    const sink: FrameSink = {
      frame: () => {
        try {
          if (method === 'push') decoder.push(fromHex(HEARTBEAT));
          else decoder.idle();
        } catch (error) {
          thrown.push(error);
        }
      },
      discarded: () => {},
      fault: () => {},
    };
    const decoder = new LineDecoder(definition, sink);
    decoder.push(fromHex(HEARTBEAT));
    expect(thrown).toEqual([expect.objectContaining({ code: 'decoder_reentered' })]);
  });

  test('that throws ends the decoder', () => {
    const decoder = new LineDecoder(definition, {
      frame: () => {
        throw new Error('sink');
      },
      discarded: () => {},
      fault: () => {},
    });
    expect(() => decoder.push(fromHex(HEARTBEAT))).toThrow('sink');
    expect(() => decoder.push(fromHex(HEARTBEAT))).not.toThrow();
  });
});

describe('while hunting, with stray bytes behind it', () => {
  const stray = ['ff', 'fe', '00', 'fffe', '0000'];

  test.each(stray)('a reply that is awaited is taken: %s', (bytes) => {
    for (const next of ['idle', HEARTBEAT]) {
      const events = stepsWhile('heartbeat', 'aa', HEARTBEAT_REPLY + bytes, next).flat();
      expect(events.filter((event) => event.startsWith('heartbeat reply'))).toEqual(['heartbeat reply 0']);
    }
  });

  test.each(stray)('one that is not awaited is set aside, but for what may begin a header: %s', (bytes) => {
    const events = stepsWhile('register', 'aa', HEARTBEAT_REPLY + bytes, 'idle').flat();
    const begins = bytes.startsWith('00');
    expect(events.includes('heartbeat reply 0')).toBe(begins);
  });

  test('three are too many: they may be the rest of a frame whose head it took', () => {
    // A register reply that lost its content, and a heartbeat behind it.
    const damaged = `00000002${HEARTBEAT}`;
    for (const awaited of ['register', undefined]) {
      const events = stepsWhile(awaited, 'aa', damaged, 'idle', HEARTBEAT).flat();
      expect(events.filter((event) => event.includes('reply'))).toEqual([]);
      expect(events.at(-1)).toBe('heartbeat request');
    }
  });

  test('a device whose every reply has one behind it is followed', () => {
    const beat = [HEARTBEAT_REPLY, 'ff', 'idle'];
    const events = stepsWhile('heartbeat', ...beat, ...beat, ...beat).flat();
    expect(events.filter((event) => event === 'heartbeat reply 0')).toHaveLength(3);
  });
});
