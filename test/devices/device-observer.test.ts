import { describe, expect, it } from 'vitest';
import type { Values } from '../../src/contract/value.ts';
import {
  type DeviceObserver,
  DeviceObservers,
  type ObserverFactory,
} from '../../src/devices/device-observer.ts';
import { DeviceRunner } from '../../src/devices/device-runner.ts';
import { Wire } from '../../src/devices/wire.ts';
import { deviceCodec } from '../../src/devices/wire-codec.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { declaredProtocol, ovenCatalog } from '../support/declared.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';
import { HEARTBEAT_REPLY, REGISTERED } from '../support/listener-bench.ts';
import { settings } from '../support/session-bench.ts';

/** Takes down in short words what it is called with. */
class Notes implements DeviceObserver {
  readonly all: string[] = [];
  state({ status }: { readonly status: string }): void {
    this.all.push(`state ${status}`);
  }
  measured(group: string, values: Values): void {
    this.all.push(`measured ${group} ${JSON.stringify(values)}`);
  }
  alarm({ field, level }: { readonly field: string; readonly level: string }): void {
    this.all.push(`alarm ${field} ${level}`);
  }
  asked(message: string): void {
    this.all.push(`asked ${message}`);
  }
  answered(message: string, outcome: { readonly ok: boolean }): void {
    this.all.push(`answered ${message} ${outcome.ok}`);
  }
  close(): void {
    this.all.push('close');
  }
}

/** A device that is online, looked on by these. */
function online(factories: readonly ObserverFactory[]) {
  const codec = deviceCodec({
    identity: 'standard',
    builtin: true,
    maxFrame: 1_000,
    line: 'stream',
    messages: declaredProtocol(),
  });
  const clock = new FakeClock();
  let link = new FakeLink();
  const runner = new DeviceRunner({
    settings: settings(),
    ports: {
      random: () => 0.5,
      localTime: () => '2026-01-01 00:00:00',
      parseLocalTime: () => undefined,
      messages: ovenCatalog(),
      wantsSamples: () => factories.some((each) => each.wantsSamples()),
    },
    publisher: new FeedStore({ epoch: 'test' }),
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    makeWire: (_index, owner) => {
      link = new FakeLink();
      return new Wire(link, codec, owner);
    },
    wantsBytes: () => false,
    observers: new DeviceObservers(factories, { id: 'p1', fields: undefined, replay: false }),
  });
  runner.start();
  link.connect();
  link.data(REGISTERED);
  link.data(HEARTBEAT_REPLY);
  const telemetry = (temperature: number): void => {
    const fields = { temperature, set_point: 20, channels: [] };
    const content = {
      name: 'declared',
      kind: 'notice',
      message: 'telemetry',
      fields,
      raw: {},
      issues: [],
    } as const;
    link.data(codec.encode?.(content) ?? new Uint8Array());
  };
  return { runner, telemetry };
}

describe('observers of a device', () => {
  it('are all called with the same things in the same order', () => {
    const notes = [new Notes(), new Notes()];
    const { runner, telemetry } = online(
      notes.map((each) => ({ wantsSamples: () => true, observe: () => each })),
    );
    telemetry(21);
    telemetry(70);
    runner.stop();
    const [first, second] = notes.map(({ all }) => all);
    expect(second).toEqual(first);
    expect(first?.filter((note) => !note.startsWith('state'))).toEqual([
      'measured telemetry {"temperature":21,"set_point":20,"channels":[]}',
      'alarm temperature alarm',
      'measured telemetry {"temperature":70,"set_point":20,"channels":[]}',
      'close',
    ]);
    expect(first).toContain('state online');
  });

  it('get samples from the moment at which one of them wants them', () => {
    const notes = new Notes();
    let wanted = false;
    const { telemetry } = online([{ wantsSamples: () => wanted, observe: () => notes }]);
    const samples = () => notes.all.filter((note) => note.startsWith('measured')).length;
    telemetry(21);
    expect(samples()).toBe(0);
    wanted = true;
    telemetry(21);
    telemetry(21);
    expect(samples()).toBe(2);
  });

  it('may take a part only, or none of a device', async () => {
    const notes = new Notes();
    const { runner } = online([
      { wantsSamples: () => false, observe: () => undefined },
      { wantsSamples: () => false, observe: () => ({}) },
      {
        wantsSamples: () => false,
        observe: ({ id, replay }) => (id === 'p1' && !replay ? notes : undefined),
      },
    ]);
    const outcome = runner.request('blink', {}, 1_000);
    runner.stop();
    await outcome;
    expect(notes.all).toContain('asked blink');
    expect(notes.all.at(-1)).toBe('close');
  });
});
