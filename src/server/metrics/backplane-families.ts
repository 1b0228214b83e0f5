import { addCounter, addGauge, type Metrics, one } from './family.ts';

/** What an instance counts of the server that it shares with others. */
export interface BackplaneCounts {
  /** It answers, and knows this instance. */
  readonly up: boolean;
  readonly instances: number;
  readonly owned: number;
  readonly foreign: number;
  readonly shards: number;
  readonly waiting: number;
  readonly calls: number;
  readonly published: number;
  readonly read: number;
  readonly snapshots: number;
  readonly fenced: number;
  readonly lostEvents: number;
  readonly reconnects: number;
}

/** The metrics of several instances with one feed; there are none without `backplane:`. */
export function addBackplaneFamilies(metrics: Metrics, counts: () => BackplaneCounts): void {
  type Numbers = Exclude<keyof BackplaneCounts, 'up'>;
  const gauge = (name: string, help: string, key: Numbers): void =>
    addGauge(metrics, { name: `heartwire_backplane_${name}`, help, read: () => one(counts()[key]) });
  const counter = (name: string, help: string, key: Numbers): void =>
    addCounter(metrics, { name: `heartwire_backplane_${name}_total`, help, read: () => one(counts()[key]) });
  addGauge(metrics, {
    name: 'heartwire_backplane_up',
    help: 'Whether the server that the instances share answers (1) or not (0).',
    read: () => one(Number(counts().up)),
  });
  gauge('instances', 'Instances that are there, this one included, as the server last said.', 'instances');
  gauge('owned_units', 'Devices and buses that belong to this instance.', 'owned');
  gauge('foreign_documents', 'Documents of other instances that are read here.', 'foreign');
  gauge('shards', 'Streams, of 64, that are read for subscribers here.', 'shards');
  gauge('waiting_units', 'Devices and buses with something that is still to be published.', 'waiting');
  gauge('open_calls', 'Calls to other instances that wait for their answer.', 'calls');
  counter('published', 'Entries that were written into streams; one may hold several changes.', 'published');
  counter('read_entries', 'Entries that were read from streams.', 'read');
  counter(
    'snapshots',
    'Shards that were read as a whole: at first, and where a position was lost.',
    'snapshots',
  );
  counter('fenced', 'Writes that were refused because another instance had the device.', 'fenced');
  counter('lost_events', 'Events for which there was no room while the server was away.', 'lostEvents');
  counter('reconnects', 'Connections to the server that were lost.', 'reconnects');
}
