import { describe, expect, it } from 'vitest';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { BusLine, busConfig, modbus, SLIP_MODBUS, type Slaves } from '../support/bus-line.ts';

const POLL = 'poll: [{ message: read, fields: { start: 0, count: 1 }, every: 500ms }]';
const CONFIG = `buses:
  - { id: line, link: /dev/ttyS9, baud: 9600-8E1, timeout: 300ms }
devices:
  - { id: gap-1, bus: line, address: 1, messages: modbus.yaml, ${POLL} }
  - { id: slip-3, bus: line, address: 3, messages: slip.yaml, ${POLL} }
  - { id: slip-2, bus: line, address: 2, messages: slip.yaml, ${POLL} }
`;

const slip = makeFraming({ type: 'slip' });
const protocol = modbus();
const slipped = modbus(SLIP_MODBUS);
const inSlip = (request: Uint8Array): boolean => request.at(-1) === 0xc0;

/** The address within a request of either kind. */
const addressIn = (request: Uint8Array): number => request.find((byte) => byte !== 0xc0) ?? 0;

function reply(request: Uint8Array, power: number): Uint8Array {
  const address = addressIn(request);
  return inSlip(request)
    ? slip.encode(slipped.at(address).encodeReply('read', 0, { power }))
    : protocol.at(address).encodeReply('read', 0, { power });
}

const power = (line: BusLine, device: string): unknown => line.state(device)?.values?.read;

describe('devices with different frames on one line', () => {
  it('are each asked and read in their own', () => {
    const slaves: Slaves = (request) => [
      { afterMs: 20, bytes: reply(request, 100 * addressIn(request) + (inSlip(request) ? 50 : 0)) },
    ];
    const line = new BusLine(busConfig(CONFIG), slaves).open();
    line.clock.advance(10_000);
    expect(['gap-1', 'slip-3', 'slip-2'].map((id) => power(line, id))).toEqual([
      { power: 100 },
      { power: 350 },
      { power: 250 },
    ]);
    for (const id of ['gap-1', 'slip-3', 'slip-2']) {
      expect(line.state(id)).toMatchObject({ status: 'online' });
      expect(line.runners.get(id)?.reading.counts).toMatchObject({ timeouts: 0, unknown: 0, invalid: 0 });
    }
    expect(line.documents.get('buses/line/state')).toMatchObject({ wrong_device: 0 });
  });

  it('lose no poll to one that is dead, and none has the value of another', () => {
    const slaves: Slaves = (request) =>
      inSlip(request) && addressIn(request) === 3 ? [] : [{ afterMs: 20, bytes: reply(request, 7) }];
    const line = new BusLine(busConfig(CONFIG), slaves).open();
    line.clock.advance(30_000);
    expect(line.state('slip-3')?.status).toBe('unknown');
    expect(power(line, 'slip-3')).toBeUndefined();
    for (const id of ['gap-1', 'slip-2']) expect(line.state(id)?.status).toBe('online');
  });

  it.each([310, 330, 345, 500])(
    'no reply that is late by %i ms is a value of the one that is asked then',
    (afterMs) => {
      // Those in SLIP are late; they say a power that no other device says.
      const slaves: Slaves = (request) => [
        inSlip(request) ? { afterMs, bytes: reply(request, 999) } : { afterMs: 20, bytes: reply(request, 7) },
      ];
      const line = new BusLine(busConfig(CONFIG), slaves).open();
      for (let step = 0; step < 300; step++) {
        line.clock.advance(100);
        expect([undefined, 7]).toContain((power(line, 'gap-1') as { power?: number } | undefined)?.power);
        expect(power(line, 'slip-3')).toBeUndefined();
        expect(power(line, 'slip-2')).toBeUndefined();
      }
      expect(line.state('gap-1')?.status).toBe('online');
    },
  );
});
