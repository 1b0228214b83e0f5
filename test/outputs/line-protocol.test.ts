import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PointTimes, statusLine, valuesLine } from '../../src/outputs/core/line-protocol.ts';

describe('a line of a database', () => {
  it('has the group as measurement, the device as tag, and each value with its type', () => {
    const values = {
      volt: 230,
      text: 'a "b" \\ c\nd',
      on: true,
      none: null,
      nan: Number.NaN,
      bytes: { $bytes: 'AA==', len: 1 },
      flags: { fan: false, level: -1.5e-9 },
      list: [1, 2],
    };
    expect(valuesLine('psu-1', 'telemetry', values, '7')).toBe(
      'telemetry,device=psu-1 volt=230,text="a \\"b\\" \\\\ c d",on=true,flags.fan=false,flags.level=-1.5e-9,list.0=1,list.1=2 7',
    );
  });

  it('is none where there is nothing to write', () => {
    expect(valuesLine('a', 'g', { x: null, y: { $bytes: '', len: 0 } }, '7')).toBeUndefined();
    expect(valuesLine('a', 'g', { wave: Array.from({ length: 65 }, () => 1) }, '7')).toBeUndefined();
  });

  it('escapes what ends a name', () => {
    expect(valuesLine('a', 'my group,x', { 'k=v, w': 1 }, '7')).toBe(
      'my\\ group\\,x,device=a k\\=v\\,\\ w=1 7',
    );
  });

  it('is always one line, whatever a device says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = valuesLine('a', 'g', { text }, '7') ?? '';
        expect(line.split('\n')).toHaveLength(1);
        // The text ends where it is closed, and nowhere before.
        expect(/^g,device=a text="(?:[^"\\]|\\["\\])*" 7$/su.test(line) || /[\ud800-\udfff]/.test(text)).toBe(
          true,
        );
      }),
    );
  });

  it('says both statuses with the reason', () => {
    const link = {
      status: 'backoff',
      transport: 'tcp',
      since: 1,
      attempt: 2,
      reason: 'connect_refused',
    } as const;
    expect(statusLine({ device: 'a', status: 'offline', since: 1, link }, '7')).toBe(
      'heartwire_status,device=a online=false,status="offline",link="backoff",reason="connect_refused" 7',
    );
  });

  it('has a time of its own, also where the clock stands or goes back', () => {
    const times = new PointTimes();
    expect([5, 5, 6, 3, 7].map((at) => times.time(at))).toEqual([
      '5000000',
      '5000001',
      '6000000',
      '6000001',
      '7000000',
    ]);
  });
});
