import { effect } from '@preact/signals';
import type { Client } from '../../../src/client/index.ts';
import { clock } from '../api/clock.ts';
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
  const takeOf = (document: unknown, at: number): void => {
    const value = isObject(document) ? valueAt(document.values, path) : undefined;
    const live = isObject(document) && document.status !== 'offline' && isNumber(value);
    take(at, live ? value : Number.NaN);
  };
  // What is known now holds now, though it may not change for long.
  const known = client.view.document(topic);
  if (known !== undefined && client.status.state === 'connected') takeOf(known, clock.present());
  const off = client.on('message', (message, changes) => {
    const change = changes.find((each) => each.topic === topic);
    if (change !== undefined) takeOf(change.document, message.timestamp);
  });
  return () => {
    off();
    subscription.unsubscribe();
  };
}
