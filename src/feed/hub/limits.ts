import { type AdmissionLimits, admissionLimits } from '../../access/index.ts';
import { DEFAULT_SERVER, type ServerConfig } from '../../config/index.ts';
import type { FeedLimits } from '../../contract/feed/index.ts';

/** Limits of the feed; `welcome` announces those that concern clients. */
export interface FeedServerLimits {
  readonly maxMessageBytes: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly maxPatterns: number;
  /** How long a connection may go without a token where one is required. */
  readonly authTimeoutMs: number;
  /** Connections of one address that is not loopback. */
  readonly maxConnectionsPerAddress: number;
  /** New connections of such an address per second, on average and at once; more are asked to come back later. */
  readonly connectsPerSecondPerAddress: number;
  readonly connectBurstPerAddress: number;
  /** Connections in all; more are asked to come back later. */
  readonly maxConnections: number;
  /** New connections, on average and at once; more are asked to come back later. */
  readonly connectsPerSecond: number;
  readonly connectBurst: number;
  /** How long a session is kept for a connection that resumes it. */
  readonly resumeMs: number;
  /** How long a change may wait for others to go out with it; 0: until the end of the same turn of the loop. */
  readonly flushWindowMs: number;
  /** Bytes that may wait for all subscribers together; beyond it the one with the most goes. */
  readonly maxHeldBytes: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** How long a full socket may go without a byte leaving it. */
  readonly stuckLimitMs: number;
  /** How long the peer may take for the closing handshake. */
  readonly closeTimeoutMs: number;
}

const MESSAGE_BURST = 2;
const CONNECT_BURST = 2;

export const DEFAULT_FEED_LIMITS: FeedServerLimits = {
  ...liveLimits(DEFAULT_SERVER),
  maxConnections: 20_000,
  resumeMs: 120_000,
  maxHeldBytes: 256 * 1024 * 1024,
  pingIntervalMs: 20_000,
  pingTimeoutMs: 30_000,
  stuckLimitMs: 30_000,
  closeTimeoutMs: 2_000,
};

/** Limits that may change while clients stay connected. */
export type LiveLimits = AdmissionLimits &
  Pick<
    FeedServerLimits,
    | 'connectsPerSecond'
    | 'connectBurst'
    | 'flushWindowMs'
    | 'maxMessageBytes'
    | 'messagesPerSecond'
    | 'messageBurst'
    | 'maxPatterns'
    | 'authTimeoutMs'
  >;

/** As they are configured. */
export function liveLimits(server: ServerConfig): LiveLimits {
  const {
    flushWindowMs = 0,
    maxMessagesPerSecond: messagesPerSecond,
    maxNewSubscribersPerSecond: connectsPerSecond,
    maxMessageBytes,
    maxPatterns,
    authTimeoutMs,
  } = server;
  const messageBurst = messagesPerSecond * MESSAGE_BURST;
  return {
    ...admissionLimits(server),
    connectsPerSecond,
    connectBurst: connectsPerSecond * CONNECT_BURST,
    flushWindowMs,
    maxMessageBytes,
    messagesPerSecond,
    messageBurst,
    maxPatterns,
    authTimeoutMs,
  };
}

export function announced(limits: FeedServerLimits): FeedLimits {
  return {
    max_message_bytes: limits.maxMessageBytes,
    messages_per_second: limits.messagesPerSecond,
    message_burst: limits.messageBurst,
    max_patterns: limits.maxPatterns,
    auth_timeout_ms: limits.authTimeoutMs,
    max_connections_per_address: limits.maxConnectionsPerAddress,
  };
}
