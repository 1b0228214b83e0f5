export type { ClientEntry, Json, JsonObject, ServerMessage } from '../contract/wire/index.ts';
export {
  type CallOptions,
  type Client,
  type ClientEvents,
  type CommandOptions,
  type ConnectOptions,
  connect,
  type SignalLike,
} from './client.ts';
export { ClientError, type ClientErrorCode } from './client-error.ts';
export type {
  CommandFields,
  CommandName,
  CommandReply,
  CommandResult,
  Declaration,
  DeviceState,
  DeviceTypes,
  ValuesOf,
} from './device-types.ts';
export { qualityOf } from './device-types.ts';
export type { FeedBroadcast, FeedEvent, FeedGap, FeedItem } from './items.ts';
export type { DocumentChange, LiveView } from './live-view.ts';
export type { ClientClock, ClientPorts, Moment, SocketConstructor, SocketLike } from './ports.ts';
export type { ClientStatus, ConnectionState } from './session-events.ts';
export type { Decode, TokenSource } from './session-runner.ts';
export type { SubscribeOptions, Subscription } from './subscription.ts';
export type { ViewChange } from './view.ts';
