import { describe, expect, it } from 'vitest';
import { BusLine, busConfig, meters, modbus } from '../support/bus-line.ts';

const protocol = modbus();
const ask = (address: number, start = 0): Uint8Array =>
  protocol.at(address).encode('read', { start, count: 1 });
const answer = (address: number, power: number): Uint8Array =>
  protocol.at(address).encodeReply('read', 0, { power });
const write = (address: number, value: number): Uint8Array =>
  protocol.at(address).encode('write', { at: 1, value });
const refuse = (address: number): Uint8Array =>
  protocol.at(address).encode('exception', { fn: 0x84, code: 2 });

const listening = (count = 2): BusLine => new BusLine(meters(count, 500, ', passive: true'), () => []).open();

/** Everything of a device but its state. */
const marked = (line: BusLine, mark: string) => line.events.filter(({ data }) => mark in data);

describe('a line where another host asks', () => {
  it('is never written to, and its replies belong to the requests of the same address', () => {
    const line = listening();
    for (let round = 1; round <= 20; round++) {
      for (const address of [1, 2]) {
        line.say(ask(address));
        line.clock.advance(20);
        line.say(answer(address, 100 * address + round));
        line.clock.advance(200);
      }
    }
    expect(line.asked).toEqual([]);
    expect(line.state('m1')).toMatchObject({ status: 'online', values: { read: { power: 120 } } });
    expect(line.state('m2')).toMatchObject({ status: 'online', values: { read: { power: 220 } } });
    expect(line.documents.get('buses/line/state')).toMatchObject({ passive: true, wrong_device: 0 });
  });

  it('is read where request and reply come in one piece', () => {
    const line = listening();
    line.say(Buffer.concat([ask(1), answer(1, 111), ask(2), answer(2, 222)]));
    expect(line.state('m1')?.values).toEqual({ read: { power: 111 } });
    expect(line.state('m2')?.values).toEqual({ read: { power: 222 } });
  });

  it('tells a write from the reply that repeats it by their order', () => {
    const line = listening();
    line.say(write(1, 7));
    expect(line.state('m1')?.status).toBe('unknown');
    line.clock.advance(20);
    line.say(write(1, 7));
    expect(line.state('m1')).toMatchObject({ status: 'online', values: { write: { at: 1, value: 7 } } });
    expect(line.events.map(({ data }) => data.kind)).toEqual(['request', 'reply']);
  });

  it('has no value of a reply without its request, of a late one, or of one that answers something else', () => {
    const line = listening();
    line.say(answer(1, 1));
    expect(line.state('m1')?.values?.read).toBeUndefined();
    expect(marked(line, 'unsolicited')).toHaveLength(1);
    line.say(ask(1));
    line.clock.advance(600);
    line.say(answer(1, 2));
    expect(line.state('m1')?.values?.read).toBeUndefined();
    expect(marked(line, 'late')).toHaveLength(1);
    line.say(ask(2));
    line.clock.advance(20);
    line.say(answer(1, 3));
    expect(line.state('m1')?.values?.read).toBeUndefined();
  });

  it('ends a request by an exception', () => {
    const line = listening();
    line.say(ask(1));
    line.clock.advance(20);
    line.say(refuse(1));
    expect(line.runners.get('m1')?.reading.counts.error_replies).toBe(1);
    expect(line.state('m1')?.status).toBe('online');
  });

  it('says that a device is silent, and goes on where one has other addresses', () => {
    const line = listening();
    for (let round = 0; round < 60; round++) {
      line.say(ask(1));
      line.clock.advance(20);
      if (round < 20) line.say(answer(1, round));
      line.say(ask(9));
      line.clock.advance(20);
      line.say(answer(9, 9));
      line.clock.advance(460);
    }
    expect(line.state('m1')).toMatchObject({ status: 'offline', reason: 'silent' });
    expect(line.documents.get('buses/line/state')?.wrong_device).toBe(0);
  });

  it('refuses commands', async () => {
    const line = listening();
    line.say(ask(1));
    line.clock.advance(20);
    line.say(answer(1, 5));
    line.command(1, 'm1', 'write', { at: 1, value: 2 });
    await Promise.resolve();
    expect(line.outcomes.get(1)?.outcome).toMatchObject({ ok: false, code: 'request_not_allowed' });
    expect(line.asked).toEqual([]);
  });

  it('names values by the polls that ask for the same, and mixes no two things under one name', () => {
    const device = (poll: string) =>
      busConfig(
        `buses: [{ id: line, link: /dev/ttyS9, passive: true }]\ndevices: [{ id: m1, bus: line, address: 1, messages: modbus.yaml${poll} }]\n`,
      );
    const hear = (line: BusLine, start: number, power: number): void => {
      line.say(ask(1, start));
      line.clock.advance(20);
      line.say(answer(1, power));
      line.clock.advance(100);
    };
    const named = new BusLine(
      device(
        ', poll: [{ message: read, as: volts, every: 1s, fields: { start: 0, count: 1 } }, { message: read, as: amps, every: 1s, fields: { start: 8, count: 1 } }]',
      ),
      () => [],
    ).open();
    hear(named, 0, 230);
    hear(named, 8, 4);
    hear(named, 16, 99);
    expect(named.state('m1')?.values).toEqual({ volts: { power: 230 }, amps: { power: 4 } });
    const plain = new BusLine(device(''), () => []).open();
    hear(plain, 0, 230);
    hear(plain, 8, 4);
    expect(plain.state('m1')?.values).toEqual({ read: { power: 230 } });
  });
});
