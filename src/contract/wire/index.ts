export { CLIENT_FAULTS, CLOSE_CODES, type CloseReason, mayReconnect } from './close-code.ts';
export { coversPattern } from './covers-pattern.ts';
export { infinitePlace, isFiniteNumber, isJsonObject, type Json, type JsonObject, ownValue } from './json.ts';
export { applyPatch, checkDocument, diff, differs, NotADocumentError } from './merge-patch.ts';
export type { Position } from './position.ts';
export {
  DEVICE_STATUSES,
  type DeviceStatus,
  deviceStatusOf,
  LINK_STATUSES,
  type LinkStatus,
} from './statuses.ts';
export {
  hasWildcard,
  isAlarms,
  isMessages,
  MAX_LEVELS,
  MAX_TOPIC_LENGTH,
  matchesTopic,
  needsLiteralEnd,
  patternProblem,
  topicProblem,
} from './topic.ts';
export type {
  ClientEntry,
  DeclarationDocument,
  ServerMessage,
  SnapshotItem,
  StateDocument,
  UpdatePayload,
} from './wire-types.ts';
