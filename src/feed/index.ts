export type { Change } from './core/change.ts';
export { FeedStore } from './core/store.ts';
export { refusedCaller, requestedClientId } from './hub/admission.ts';
export { liveLimits } from './hub/limits.ts';
export type { CommandHandler } from './hub/session-service.ts';
export {
  type Arrival,
  type FeedLog,
  SubscriberRegistry,
  type SubscriberRegistryOptions,
} from './hub/subscriber-registry.ts';
export { Transport } from './hub/transport.ts';
export { JsonLinesServer } from './transports/json-lines-server.ts';
export { SseServer } from './transports/sse-server.ts';
export { FeedSocket, textFrame } from './transports/websocket.ts';
