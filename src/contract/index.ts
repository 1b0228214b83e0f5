export { type AddressBlock, addressInBlock, parseBlock } from './address-match.ts';
export type { CommandOutcome, FeedAddition, FeedClient, FeedCommand } from './command.ts';
export { type Identity, identityText } from './identity.ts';
export type { EventReach, Publisher } from './publisher.ts';
export { highestRole, isRole, ROLES, type Role, reaches } from './role.ts';
export { LEAST_BACK_OFF_MS, SESSION_ROLES, type SessionRole } from './settings.ts';
export type { TlsFiles } from './tls-files.ts';
export { lineOf, TRANSPORT_NAMES, TRANSPORTS, type Transport } from './transport.ts';
export type { BytesValue, Value, Values } from './value.ts';
