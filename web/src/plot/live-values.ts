import { effect } from '@preact/signals';
import type { Client } from '../../../src/client/index.ts';
import { feed } from '../api/feed.ts';
import { isNumber, isObject } from '../api/json.ts';
import { valueAt } from '../api/values.ts';

type Take = (atMs: number, value: number) => void;

/**
 * Follows one field of a device at the full rate of the feed, with the time that the bridge gave to each change. NaN says
 * that there is no value any more: the device is offline, or the connection is lost.
 */
export function followValue(device: string, path: string, take: Take): () => void {
  return effect(() => {
    const client = feed.client.value;
    const lost = feed.phase.value !== 'live';
    if (client === undefined) return undefined;
    if (lost) take(Date.now(), Number.NaN);
    return watch(client, device, path, take);
  });
}

function watch(client: Client, device: string, path: string, take: Take): () => void {
  const topic = `devices/${device}/state`;
  const subscription = client.subscribe(topic);
  const off = client.on('message', (message, changes) => {
    const change = changes.find((each) => each.topic === topic);
    if (change === undefined) return;
    const { document } = change;
    const value = valueAt(document?.values, path);
    const live = isObject(document) && document.status !== 'offline' && isNumber(value);
    take(message.timestamp, live ? value : Number.NaN);
  });
  return () => {
    off();
    subscription.unsubscribe();
  };
}
