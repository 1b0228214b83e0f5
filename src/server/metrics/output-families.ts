import type { JsonObject } from '../../contract/wire/index.ts';
import { addCounter, addGauge, type Metrics, type Sample } from './family.ts';

/** The outputs as `bridge/status` shows them; undefined: there are none. */
export type OutputStatuses = () => readonly JsonObject[] | undefined;

const LABELS = ['output', 'address'];

/** The metrics of each output; those of one kind are `influx`, `influx-2` and so on, in the order of the configuration. */
export function addOutputFamilies(metrics: Metrics, outputs: OutputStatuses): void {
  const read = (value: (output: JsonObject) => number) => (): readonly Sample[] => {
    const counts = new Map<string, number>();
    return (outputs() ?? []).map((output) => {
      const kind = String(output.kind);
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      const name = count === 1 ? kind : `${kind}-${count}`;
      return [{ output: name, address: String(output.url) }, value(output)];
    });
  };
  addGauge(metrics, {
    name: 'heartwire_output_up',
    help: 'Whether the other side of an output took the last that was sent (1) or not (0).',
    labels: LABELS,
    // Where nothing was sent yet, nothing is known to be wrong.
    read: read(({ status }) => Number(status === 'ready' || status === 'starting')),
  });
  addCounter(metrics, {
    name: 'heartwire_output_sent_total',
    help: 'Points, messages and mails that the other side of an output took.',
    labels: LABELS,
    read: read(({ sent }) => Number(sent)),
  });
  addCounter(metrics, {
    name: 'heartwire_output_lost_total',
    help: 'Points, messages and mails that an output lost: there was no room, or they were refused.',
    labels: LABELS,
    read: read(({ lost }) => Number(lost)),
  });
  addGauge(metrics, {
    name: 'heartwire_output_waiting',
    help: 'Points, messages and mails that wait for the other side of an output.',
    labels: LABELS,
    read: read(({ waiting }) => Number(waiting)),
  });
}
