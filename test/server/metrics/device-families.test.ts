import { describe, expect, it } from 'vitest';
import { StateAxes } from '../../../src/devices/core/state-document.ts';
import { Stats } from '../../../src/devices/core/stats.ts';
import type { DeviceReading } from '../../../src/devices/device-observer.ts';
import {
  addDeviceFamilies,
  DEVICE_COUNTERS,
  DeviceMeters,
  MOST_NAMED_DEVICES,
} from '../../../src/server/metrics/device-families.ts';
import type { Metrics } from '../../../src/server/metrics/family.ts';

const FRAMES = DEVICE_COUNTERS.findIndex(({ name }) => name === 'heartwire_received_frames_total');

function device(id: string, frames: number): DeviceReading {
  const stats = new Stats();
  stats.counts.frames_in = frames;
  const state = new StateAxes({ device: id, transport: 'tcp' }, 0, { values: {}, quality: {} }).document;
  return { id, state, counts: stats.counts, tally: stats.tally, bytesOut: 0 };
}

function meters(perDevice: boolean, configured: readonly string[]) {
  const present: DeviceReading[] = [];
  const made = new DeviceMeters({
    perDevice,
    all: () => present.map((reading) => ({ reading })),
    isConfigured: (id) => configured.includes(id),
  });
  const frames = () =>
    Object.fromEntries([...made.snapshot().groups].map(([label, sums]) => [label, sums.at(FRAMES)]));
  return { made, present, frames };
}

describe('the name of a device', () => {
  it('is a label of the metrics, in any script, for those that have one', () => {
    const { made, present } = meters(true, ['a', 'b', 'c']);
    const named = device('a', 1);
    const grouped = device('b', 1);
    present.push(
      { ...named, state: { ...named.state, label: '烘箱 "1"', group: '一号楼' } },
      { ...grouped, state: { ...grouped.state, group: 'lab' } },
      device('c', 1),
    );
    const metrics: Metrics = { families: new Map() };
    addDeviceFamilies(metrics, () => made.snapshot());
    const samples = [...(metrics.families.get('heartwire_device_info')?.read() ?? [])];
    expect(samples).toEqual([
      [{ device: 'a', label: '烘箱 "1"', group: '一号楼' }, 1],
      [{ device: 'b', label: '', group: 'lab' }, 1],
    ]);
  });
});

describe('the counters of all devices', () => {
  it('are one sum, which does not fall when a device is forgotten', () => {
    const { made, present, frames } = meters(false, ['a']);
    const gone = device('b', 20);
    present.push(device('a', 1), gone);
    expect(frames()).toEqual({ '': 21 });
    made.retire(gone);
    expect(frames()).toEqual({ '': 21 });
    present.pop();
    expect(frames()).toEqual({ '': 21 });
    expect(made.snapshot().named).toEqual([]);
  });

  it('stand apart for configured devices where that is wanted, and nothing is counted twice', () => {
    const { present, made, frames } = meters(true, ['a']);
    present.push(device('a', 1), device('b', 20));
    expect(frames()).toEqual({ '': 20, a: 1 });
    expect(made.snapshot().named.map(({ id }) => id)).toEqual(['a']);
  });

  it('go on in the series of a device that is run anew, also when it is taken out', () => {
    const configured = ['a'];
    const { made, present, frames } = meters(true, configured);
    const first = device('a', 5);
    present.push(first);
    expect(frames()).toEqual({ '': 0, a: 5 });
    made.retire(first);
    made.retire(first);
    present[0] = device('a', 2);
    expect(frames()).toEqual({ '': 0, a: 7 });
    configured.pop();
    made.retire(present[0]);
    present.pop();
    expect(frames()).toEqual({ '': 0, a: 7 });
  });

  it('have no more series than there may be', () => {
    const ids = Array.from({ length: MOST_NAMED_DEVICES + 5 }, (_, at) => `d${at}`);
    const { made, present } = meters(true, ids);
    for (const id of ids) present.push(device(id, 1));
    const { groups } = made.snapshot();
    expect(groups.size).toBe(MOST_NAMED_DEVICES + 1);
    expect(groups.get('')?.at(FRAMES)).toBe(5);
  });
});
