import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/contract/wire/index.ts';
import type { Metrics } from '../../../src/server/metrics/family.ts';
import { addOutputFamilies } from '../../../src/server/metrics/output-families.ts';

const output = (kind: string, status: string, sent: number, lost: number): JsonObject => ({
  ...{ kind, url: `http://${kind}:1`, status, since: 1, sent, lost, waiting: 4 },
});

it('each output has series of its own, also two of one kind at one address', () => {
  const outputs = [
    output('influx', 'ready', 1, 0),
    output('influx', 'backoff', 2, 3),
    output('mail', 'starting', 0, 0),
  ];
  const metrics: Metrics = { families: new Map() };
  addOutputFamilies(metrics, () => outputs);
  const read = (name: string) => [...(metrics.families.get(`heartwire_output_${name}`)?.read() ?? [])];
  expect(read('up')).toEqual([
    [{ output: 'influx', address: 'http://influx:1' }, 1],
    [{ output: 'influx-2', address: 'http://influx:1' }, 0],
    [{ output: 'mail', address: 'http://mail:1' }, 1],
  ]);
  expect(read('sent_total').map(([, value]) => value)).toEqual([1, 2, 0]);
  expect(read('lost_total').map(([, value]) => value)).toEqual([0, 3, 0]);
  expect(read('waiting').map(([, value]) => value)).toEqual([4, 4, 4]);
});

it('a bridge without outputs has none', () => {
  const metrics: Metrics = { families: new Map() };
  addOutputFamilies(metrics, () => undefined);
  for (const { read } of metrics.families.values()) expect([...read()]).toEqual([]);
});
