export { type AddressBlock, addressInBlock, parseBlock } from './address-match.ts';
export type { CommandOutcome, FeedClient, FeedCommand } from './command.ts';
export type { Publisher } from './publisher.ts';
export { ROLES, type Role, highestRole, isRole, reaches } from './role.ts';
export { type BareSettings, LEAST_BACK_OFF_MS, type PollSettings, type SessionRole, type SessionSettings } from './settings.ts';
export type { TlsFiles } from './tls-files.ts';
export { TRANSPORTS, TRANSPORT_NAMES, type Transport, lineOf } from './transport.ts';
export type { BytesValue, Value, Values } from './value.ts';
