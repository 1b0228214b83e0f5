import { CLOSE_CODES } from '../../contract/wire/index.ts';
import type { FeedStore, SubscriberRegistry, Transport } from '../../feed/index.ts';
import { addCounter, addGauge, type Metrics, one, type Sample } from './family.ts';

const CODES: Readonly<Record<string, { readonly code: number }>> = CLOSE_CODES;

/** The metrics of subscribers, and of the feed itself. */
export function addFeedFamilies(
  metrics: Metrics,
  subscriberRegistry: () => SubscriberRegistry,
  store: FeedStore,
): void {
  const byTransport = (of: (transport: Transport) => number) => (): Sample[] =>
    subscriberRegistry().transports.map((transport) => [{ transport: transport.tally.name }, of(transport)]);
  const labels = ['transport'];
  addGauge(metrics, {
    name: 'heartwire_subscribers',
    help: 'Subscribers that are connected.',
    labels,
    read: byTransport(({ tally }) => tally.present),
  });
  const count = (name: string, help: string, of: (transport: Transport) => number): void =>
    addCounter(metrics, { name, help, labels, read: byTransport(of) });
  count('heartwire_subscriber_connects_total', 'Subscribers that connected.', ({ tally }) => tally.arrived);
  count(
    'heartwire_feed_sent_bytes_total',
    'Bytes that the sockets of subscribers took.',
    ({ tally }) => tally.traffic.sent,
  );
  count(
    'heartwire_feed_received_bytes_total',
    'Bytes that came from subscribers.',
    ({ tally }) => tally.traffic.received,
  );
  count(
    'heartwire_feed_deliveries_total',
    'Messages handed to subscribers; one sent to ten counts ten times.',
    ({ audience }) => audience.tally.deliveries,
  );
  addCounter(metrics, {
    name: 'heartwire_subscriber_closes_total',
    help: 'Connections of subscribers that ended, by reason; the code is empty where we did not close them.',
    labels: ['transport', 'reason', 'code'],
    read: () =>
      subscriberRegistry().transports.flatMap(({ tally }) =>
        [...tally.endings].map(([reason, ended]): Sample => {
          const code = CODES[reason]?.code;
          const labelled = { transport: tally.name, reason };
          return [code === undefined ? labelled : { ...labelled, code: String(code) }, ended];
        }),
      ),
  });
  addCounter(metrics, {
    name: 'heartwire_feed_dropped_events_total',
    help: 'Events that subscribers missed, by reason.',
    labels: ['transport', 'reason'],
    read: () =>
      subscriberRegistry().transports.flatMap(({ tally, audience }): Sample[] => [
        [{ transport: tally.name, reason: 'slow_consumer' }, audience.tally.droppedSlow],
        [{ transport: tally.name, reason: 'unacked' }, audience.tally.droppedUnacked],
      ]),
  });
  addGauge(metrics, {
    name: 'heartwire_feed_backlog_bytes',
    help: 'Bytes that wait for all subscribers together.',
    read: () => one(subscriberRegistry().heldBytes),
  });
  addCounter(metrics, {
    name: 'heartwire_feed_changes_total',
    help: 'Changes and events that were published.',
    read: () => one(store.rev),
  });
}
