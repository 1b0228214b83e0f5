import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { replay, traceText } from '../../src/testing/index.ts';

const METER = `protocol: { framing: { type: slip } }
messages:
  - { name: power, fields: [{ name: watts, type: u16 }] }
`;
const JOURNAL = `messages:
  - { name: journal, id: 0x10, from: device, fields: [{ name: line, type: text, length: u8 }] }
`;
const trace = (meta: string, ...lines: string[]) =>
  traceText(
    [
      '#heartwire-trace 1',
      '#start 2026-01-01T00:00:00.000Z',
      `#meta transport=tcp role=server dial=in ${meta}`,
      ...lines,
      '',
    ].join('\n'),
  );

describe('a trace of a device that dialled in', () => {
  it.each([
    ['known by its address', 'device=meter known_by=address'],
    ['named by its address', 'device=addr-10.0.0.40 known_by=any-address'],
  ])('and never registered is read in its own framing: %s', (_, meta) => {
    const text = trace(
      `${meta} session=none silence=5s`,
      '0.0 c1 = open 10.0.0.40:5000',
      '0.5 c1 < 0007 c0 00',
      '+0.1 c1 < 08c0',
      '7.0 c1 * silence',
    );
    const device = replay(text, { messages: METER });
    expect(device.playTo(1).state).toMatchObject({ status: 'online', values: { power: { watts: 8 } } });
    expect(device.playTo(7).state).toMatchObject({ status: 'offline', link: { reason: 'silent' } });
  });

  it('speaks its messages from its register on', () => {
    const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };
    const register = Buffer.from(encodeFrame({ name: 'register', kind: 'request', fields })).toString('hex');
    const text = trace(
      'device=scribe known_by=register',
      '0.0 c1 = open 10.0.0.7:5000',
      `0.1 c1 < ${register} 00000007 10 05 "hello"`,
    );
    const { state } = replay(text, { messages: JOURNAL }).playTo(0.2);
    expect(state).toMatchObject({ status: 'online', values: { journal: { line: 'hello' } } });
  });
});
