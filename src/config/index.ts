export {
  type AccessConfig,
  asksForToken,
  CLOSE_TO_NETWORK,
  openToNetwork,
  readDate,
  type StaticToken,
} from './access.ts';
export type { EntryAddition } from './add-entry.ts';
export type { BackplaneConfig } from './backplane.ts';
export { sameFrames } from './check-buses.ts';
export { ADMISSION_DEFAULTS } from './complete-listener.ts';
export {
  afterReload,
  type ConfigDiff,
  diffSteps,
  type ListenerChange,
  listenersByAddress,
} from './diff-config.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { devicesJsonSchemaText } from './json-schema.ts';
export type { JwtConfig } from './jwt.ts';
export { keepLastKnownGood } from './last-known-good.ts';
export { loadConfig } from './load.ts';
export { messagesJsonSchemaText, registersJsonSchemaText } from './messages/json-schema.ts';
export { type LoadedMessages, loadMessages, looksLikeMessages } from './messages/load-messages.ts';
export type {
  BridgeConfig,
  BusConfig,
  BusDeviceConfig,
  DeviceConfig,
  DialledDeviceConfig,
  ListenerConfig,
  MatchConfig,
  MatchedDeviceConfig,
} from './model.ts';
export type {
  InfluxConfig,
  MailConfig,
  MqttConfig,
  NoticeConfig,
  OutputConfig,
  WebhookConfig,
} from './outputs.ts';
export { checkFrame } from './packs/check-frame.ts';
export { findPack, listPacks, type PackPlace, packNamed } from './packs/find-pack.ts';
export { type Pack, readKeys, readPack } from './packs/read-pack.ts';
export type { PackFrame } from './packs/shape.ts';
export { type PlannedAddition, planAddition, textHash } from './plan-addition.ts';
export { asProblem, formatProblem, type Problem } from './problem.ts';
export {
  type FileStamp,
  type ReadConfig,
  readConfig,
  readMessages,
  readNamedMessages,
  readText,
  stampOf,
} from './read.ts';
export type { FailedDevice, LoadedConfig } from './report.ts';
export { type EncryptionConfig, keyOf, keyOfText } from './secrecy.ts';
export { DEFAULT_SERVER, type LinesConfig, type ServerConfig } from './server.ts';
export { SESSION_CHOICES } from './session-keys.ts';
export {
  type BareSettings,
  defaultMaxFrame,
  type PollSettings,
  SESSION_DEFAULTS,
  type SessionSettings,
  SILENCE_MS,
} from './session-settings.ts';
export type { BlackBoxConfig } from './storage.ts';
export { checkOrigin } from './value-checks.ts';
export { isKeyed, readYaml } from './yaml-source.ts';
