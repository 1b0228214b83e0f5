export { asyncApiText } from './async-api.ts';
export {
  type ClientMessage,
  type ClientMessageType,
  COMMAND_TIMEOUT_MS,
  clientMessageContract,
} from './client-messages.ts';
export type { FeedErrorCode } from './feed-error.ts';
export {
  type IncidentDocument,
  type IncidentReason,
  type IncidentsDocument,
  parseIncident,
} from './incident-documents.ts';
export { JsonScanner } from './json-scan.ts';
export { parseClientMessage } from './parse-client-message.ts';
export {
  type ClientEntry,
  type FeedLimits,
  type PayloadOf,
  PROTOCOL_VERSION,
  type ServerMessage,
  type ServerMessageType,
} from './server-messages.ts';
export { type Tables, table } from './tables.ts';
export type {
  AlarmEvent,
  BusDocument,
  DeclarationDocument,
  Direction,
  Level,
  LinkState,
  Quality,
  StateDocument,
  StatsDocument,
} from './topic-documents.ts';
