import type { Publisher } from '../contract/index.ts';

/** A publisher that marks everything that goes through it as `replay: true`. */
export const markReplay = (publisher: Publisher): Publisher => ({
  publishState: (topic, document) => publisher.publishState(topic, { ...document, replay: true }),
  removeState: (topic) => publisher.removeState(topic),
  publishEvent: (topic, data, reach) =>
    publisher.publishEvent(
      topic,
      () => ({ ...(typeof data === 'function' ? data() : data), replay: true }),
      reach,
    ),
});
