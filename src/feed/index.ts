export type { Change } from './core/change.ts';
export { FeedStore } from './core/store.ts';
export { liveLimits } from './hub/limits.ts';
export { type FeedLog, SubscriberRegistry } from './hub/subscriber-registry.ts';
export { Transport } from './hub/transport.ts';
export { FeedServer } from './transports/feed-server.ts';
export { JsonLinesServer } from './transports/json-lines-server.ts';
export { SseServer } from './transports/sse-server.ts';
