import { useSignal, useSignalEffect } from '@preact/signals';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import type { JsonObject } from '../api/json.ts';

/** The document of a topic, followed while it is shown. */
export function useTopic(topic: string): JsonObject | undefined {
  const document = useSignal<JsonObject | undefined>(undefined);
  useSignalEffect(() => {
    const client = feed.client.value;
    if (client === undefined) return undefined;
    const take = (): void => {
      document.value = devices.document(topic);
    };
    const subscription = client.subscribe(topic);
    const off = client.view.onChange((change) => {
      if (change.topic === topic) take();
    });
    take();
    return () => {
      off();
      subscription.unsubscribe();
    };
  });
  return document.value;
}

/** All documents that a pattern covers, followed while they are shown. */
export function useTopics(pattern: string): readonly JsonObject[] {
  const documents = useSignal<readonly JsonObject[]>([]);
  useSignalEffect(() => {
    const client = feed.client.value;
    if (client === undefined) return undefined;
    const covered = new RegExp(`^${pattern.replaceAll('+', '[^/]+')}$`);
    const take = (): void => {
      const topics = client.view.topics().filter((topic) => covered.test(topic));
      documents.value = topics
        .map((topic) => client.view.document(topic))
        .filter((document) => document !== undefined);
    };
    const subscription = client.subscribe(pattern);
    const off = client.view.onChange(({ topic }) => {
      if (covered.test(topic)) take();
    });
    take();
    return () => {
      off();
      subscription.unsubscribe();
    };
  });
  return documents.value;
}
