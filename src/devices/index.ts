export { BusRunner, MemberWire, memberCodec } from './bus-runner.ts';
export { performCommand } from './commands.ts';
export { chunkMessage } from './core/chunk-message.ts';
export type { SendProgress } from './core/file-sender.ts';
export { MessageCatalog } from './core/message-catalog.ts';
export type { RequestOutcome } from './core/session-events.ts';
export type { SessionPorts } from './core/session-ports.ts';
export { ROUND_TRIP_BOUNDS_MS, Tally } from './core/stats.ts';
export { DeviceDirectory, type StatusCounts } from './device-directory.ts';
export { DeviceListener } from './device-listener.ts';
export type { DeviceListenerStatus } from './device-listener-status.ts';
export {
  type DeviceObserver,
  DeviceObservers,
  type DeviceReading,
  type ObservedDevice,
  type ObserverFactory,
  observersOf,
} from './device-observer.ts';
export { messageEvent } from './device-publisher.ts';
export { DeviceRunner } from './device-runner.ts';
export { type FileSource, noChunks, type SendFileOptions, sendFile, uploadFile } from './files/send-file.ts';
export { UploadStore } from './files/upload-store.ts';
export { Fleet } from './fleet.ts';
export { KnownDevices, knownDevices } from './known-devices.ts';
export type { Resolution } from './unannounced-devices.ts';
export {
  type DeviceTaps,
  type DialInTap,
  type SessionWire,
  Wire,
  type WireOwner,
  type WireTap,
} from './wire.ts';
export { deviceCodec, framingNeedsSilence, framingOf, type WireCodec } from './wire-codec.ts';
