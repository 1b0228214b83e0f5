export { Bridge, type BridgeAddresses, type BridgeOptions } from './app/bridge.ts';
export type { ConfigOutcome } from './app/reload/config-applier.ts';
export { ConfigReader, type ConfigReaderOptions } from './app/reload/config-reader.ts';
export { loadConfig } from './config/load.ts';
export { type LoadedMessages, loadMessages } from './config/messages/load-messages.ts';
export type {
  BridgeConfig,
  DeviceConfig,
  ListenerConfig,
  MatchConfig,
  ServerConfig,
} from './config/model.ts';
export { formatProblem, type Problem } from './config/problem.ts';
export { type ReadConfig, readConfig, readMessages } from './config/read.ts';
export type { FailedDevice, LoadedConfig } from './config/report.ts';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, HeartwireError } from './errors.ts';
export type { Instant } from './instant.ts';
export { NameResolver, type NameResolverOptions } from './links/names/name-resolver.ts';
export { decodePayload, encodeFrame } from './protocol/codec.ts';
export { CHECKSUM_NAMES, findChecksum } from './protocol/crc/catalogue.ts';
export type { Checksum, WideChecksum } from './protocol/crc/checksum.ts';
export type {
  FieldDeclaration,
  MessageDeclaration,
  ProtocolDeclaration,
} from './protocol/declared/declaration.ts';
export { DeclaredProtocol, type Inspection } from './protocol/declared/declared-protocol.ts';
export type { FieldTrace } from './protocol/declared/reading.ts';
export {
  type BytesValue,
  bytesOf,
  bytesValue,
  type FieldIssue,
  type Value,
  type Values,
} from './protocol/declared/value.ts';
export type {
  DecoderFault,
  Discarded,
  DiscardReason,
  FaultReason,
  FrameDecoder,
  FrameSink,
} from './protocol/decoder.ts';
export type { ProtocolDefinition } from './protocol/definition.ts';
export type { FramingDeclaration } from './protocol/framing/declaration.ts';
export type { Framing, FramingOptions, PayloadJudge } from './protocol/framing/framing.ts';
export { makeFraming } from './protocol/framing/make-framing.ts';
export { LineDecoder } from './protocol/line-decoder.ts';
export type {
  DatetimeReply,
  DatetimeRequest,
  DeclaredMessage,
  HeartbeatReply,
  HeartbeatRequest,
  InvalidPayload,
  Message,
  RegisterReply,
  RegisterRequest,
  UnknownMessage,
} from './protocol/message.ts';
export { type BuiltinOptions, builtinProtocol } from './protocol/messages/registry.ts';
export { StreamDecoder } from './protocol/stream-decoder.ts';
export { type Clock, systemClock, type Timer } from './system/clock.ts';
export { createLog, type Log, type LogOptions } from './system/log.ts';
