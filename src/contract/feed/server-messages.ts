import type { FeedError } from './feed-error.ts';
import type { Json, JsonObject } from './json.ts';
import type { Position } from './position.ts';

/** The version of the protocol, as announced in `welcome`. */
export const PROTOCOL_VERSION = 1;

/** What every message of the server carries. */
interface Envelope<Type extends string, Payload> {
  readonly type: Type;
  readonly id: string;
  /** ms since the Unix epoch. */
  readonly timestamp: number;
  /** The `id` is to be sent back in an `ack`. */
  readonly ack_required?: true;
  readonly payload: Payload;
}

export interface FeedLimits {
  readonly max_message_bytes: number;
  readonly messages_per_second: number;
  readonly message_burst: number;
  readonly max_patterns: number;
  /** How long a connection may go without a token where one is required. */
  readonly auth_timeout_ms: number;
  /** Of one address that is not the bridge's own machine. */
  readonly max_connections_per_address: number;
}

/** Names one version of one topic. */
export interface Version {
  readonly topic: string;
  readonly epoch: string;
  readonly rev: number;
  readonly seq: number;
}

export interface SnapshotItem extends Version {
  readonly state: JsonObject;
}

export type UpdatePayload =
  | (Version & { readonly prev: number; readonly patch: JsonObject })
  | (Version & { readonly full: true; readonly state: JsonObject })
  | (Version & { readonly removed: true });

export interface ClientEntry {
  readonly id: string;
  readonly address: string;
  readonly connected_at: number;
  readonly last_activity: number;
  readonly subscriptions: readonly string[];
  /** Bytes that wait for this client. */
  readonly backlog: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
}

export type ServerMessage =
  | Envelope<
      'welcome',
      {
        readonly client_id: string;
        /** A secret that lets another connection go on with this session. */
        readonly session: string;
        readonly protocol: number;
        /** Empty until a token was shown, where one is required. */
        readonly position: Position;
        /** Whether a token is required: no; yes, and none was shown yet; yes, and it was. */
        readonly auth: 'none' | 'required' | 'ok';
        readonly ping_interval_ms: number;
        readonly ping_timeout_ms: number;
        readonly limits: FeedLimits;
      }
    >
  | Envelope<
      'snapshot',
      {
        readonly reply_to?: string;
        readonly items: readonly SnapshotItem[];
        readonly removed: readonly Version[];
      }
    >
  | Envelope<
      'synced',
      {
        readonly reply_to?: string;
        /** `since`: everything that changed since the position that was given has been said. */
        readonly mode: 'full' | 'since';
        readonly topics: readonly string[];
        readonly position: Position;
      }
    >
  | Envelope<'update', UpdatePayload>
  | Envelope<'event', Version & { readonly data: JsonObject }>
  | Envelope<'broadcast', Version & { readonly from: string; readonly data: Json }>
  | Envelope<
      'gap',
      {
        readonly topic: string;
        readonly epoch: string;
        readonly from_seq: number;
        readonly to_seq: number;
        readonly reason: 'slow_consumer' | 'unacked' | 'expired';
      }
    >
  | Envelope<'position', { readonly position: Position }>
  | Envelope<'response', { readonly reply_to?: string; readonly result: JsonObject }>
  | Envelope<'broadcast_ack', { readonly reply_to?: string; readonly recipients: number }>
  | Envelope<'echo', { readonly reply_to?: string; readonly data: Json }>
  | Envelope<
      'clients_list',
      { readonly reply_to?: string; readonly clients: readonly ClientEntry[]; readonly count: number }
    >
  | Envelope<'ping', { readonly server_time: number }>
  | Envelope<'pong', { readonly reply_to?: string; readonly timestamp?: number }>
  | Envelope<'error', FeedError>
  | Envelope<
      'closing',
      {
        readonly code: number;
        readonly reason: string;
        readonly reconnect: boolean;
        readonly retry_after_ms?: number;
      }
    >;

export type ServerMessageType = ServerMessage['type'];
