// Written by `npm run generate` from the contracts beside it.
import type { Json, JsonObject } from './json.ts';

export type StateDocument = {
  readonly device: string;
  readonly label?: string;
  readonly group?: string;
  readonly status: 'unknown' | 'registering' | 'online' | 'stale' | 'offline' | 'away';
  readonly since: number;
  readonly reason?: string;
  readonly detail?: string;
  readonly link: {
    readonly status: 'disabled' | 'listening' | 'connecting' | 'connected' | 'backoff' | 'failed';
    readonly transport: 'tcp' | 'serial' | 'replay' | 'udp' | 'unix' | 'rfc2217';
    readonly bus?: string;
    readonly address?: string;
    readonly since: number;
    readonly attempt: number;
    readonly retry_at?: number;
    readonly reason?: string;
    readonly detail?: string;
  };
  readonly identity?: { readonly appid?: string; readonly imei?: string; readonly identity?: string };
  readonly registered_as?: { readonly appid?: string; readonly imei?: string; readonly identity?: string };
  readonly clock?: { readonly offset_ms: number; readonly bound_ms: number; readonly samples: number };
  readonly values?: JsonObject;
  readonly quality?: Readonly<Record<string, 'warn' | 'alarm' | 'stale' | 'invalid'>>;
  readonly declaration?: string;
  readonly shared?: readonly {
    readonly at: string;
    readonly read_only?: true;
    readonly programs: readonly string[];
    readonly reason?: string;
    readonly detail?: string;
  }[];
  readonly warnings?: readonly string[];
  readonly replay?: true;
};
export type DeclarationDocument = {
  readonly fields: Readonly<
    Record<
      string,
      {
        readonly unit?: string;
        readonly label?: string;
        readonly group?: string;
        readonly decimals?: number;
        readonly warn?: { readonly least?: number; readonly greatest?: number };
        readonly alarm?: { readonly least?: number; readonly greatest?: number };
      }
    >
  >;
  readonly messages?: Readonly<Record<string, { readonly label?: string; readonly group?: string }>>;
  readonly commands?: Readonly<
    Record<
      string,
      {
        readonly label?: string;
        readonly group?: string;
        readonly description?: string;
        readonly either?: true;
        readonly fields: readonly {
          readonly name: string;
          readonly type: 'number' | 'choice' | 'flag' | 'text' | 'bytes' | 'time' | 'json';
          readonly label?: string;
          readonly description?: string;
          readonly unit?: string;
          readonly least?: number;
          readonly greatest?: number;
          readonly decimals?: number;
          readonly choices?: readonly string[];
          readonly optional?: true;
          readonly shown_by?: string;
        }[];
        readonly reply: 'none' | 'status' | 'fields';
      }
    >
  >;
  readonly replay?: true;
};
export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly client_id: string;
        readonly session: string;
        readonly protocol: number;
        readonly position: Readonly<Record<string, number>>;
        readonly auth: 'none' | 'required' | 'ok';
        readonly ping_interval_ms: number;
        readonly ping_timeout_ms: number;
        readonly limits: {
          readonly max_message_bytes: number;
          readonly messages_per_second: number;
          readonly message_burst: number;
          readonly max_patterns: number;
          readonly auth_timeout_ms: number;
          readonly max_connections_per_address: number;
        };
      };
    }
  | {
      readonly type: 'snapshot';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly reply_to?: string;
        readonly items: readonly {
          readonly topic: string;
          readonly epoch: string;
          readonly rev: number;
          readonly seq: number;
          readonly state: JsonObject;
        }[];
        readonly removed: readonly {
          readonly topic: string;
          readonly epoch: string;
          readonly rev: number;
          readonly seq: number;
        }[];
      };
    }
  | {
      readonly type: 'synced';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly reply_to?: string;
        readonly mode: 'full' | 'since';
        readonly topics: readonly string[];
        readonly position: Readonly<Record<string, number>>;
      };
    }
  | {
      readonly type: 'update';
      readonly id: string;
      readonly timestamp: number;
      readonly payload:
        | {
            readonly topic: string;
            readonly epoch: string;
            readonly rev: number;
            readonly seq: number;
            readonly prev: number;
            readonly patch: JsonObject;
          }
        | {
            readonly topic: string;
            readonly epoch: string;
            readonly rev: number;
            readonly seq: number;
            readonly full: true;
            readonly state: JsonObject;
          }
        | {
            readonly topic: string;
            readonly epoch: string;
            readonly rev: number;
            readonly seq: number;
            readonly removed: true;
          };
    }
  | {
      readonly type: 'event';
      readonly id: string;
      readonly timestamp: number;
      readonly ack_required?: true;
      readonly payload: {
        readonly topic: string;
        readonly epoch: string;
        readonly rev: number;
        readonly seq: number;
        readonly data: JsonObject;
      };
    }
  | {
      readonly type: 'broadcast';
      readonly id: string;
      readonly timestamp: number;
      readonly ack_required?: true;
      readonly payload: {
        readonly topic: string;
        readonly epoch: string;
        readonly rev: number;
        readonly seq: number;
        readonly from: string;
        readonly data: Json;
      };
    }
  | {
      readonly type: 'gap';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly topic: string;
        readonly epoch: string;
        readonly from_seq: number;
        readonly to_seq: number;
        readonly reason: 'slow_consumer' | 'unacked' | 'expired' | 'lost';
      };
    }
  | {
      readonly type: 'position';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: { readonly position: Readonly<Record<string, number>> };
    }
  | {
      readonly type: 'response';
      readonly id: string;
      readonly timestamp: number;
      readonly ack_required?: true;
      readonly payload: { readonly reply_to?: string; readonly result: JsonObject };
    }
  | {
      readonly type: 'broadcast_ack';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: { readonly reply_to?: string; readonly recipients: number };
    }
  | {
      readonly type: 'echo';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: { readonly reply_to?: string; readonly data: Json };
    }
  | {
      readonly type: 'clients_list';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly reply_to?: string;
        readonly clients: readonly {
          readonly id: string;
          readonly address: string;
          readonly user?: string;
          readonly instance?: string;
          readonly connected_at: number;
          readonly last_activity: number;
          readonly subscriptions: readonly string[];
          readonly backlog: number;
          readonly bytes_sent: number;
          readonly bytes_received: number;
        }[];
        readonly count: number;
        readonly unreached?: readonly string[];
      };
    }
  | {
      readonly type: 'ping';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: { readonly server_time: number };
    }
  | {
      readonly type: 'pong';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: { readonly reply_to?: string; readonly timestamp?: number };
    }
  | {
      readonly type: 'error';
      readonly id: string;
      readonly timestamp: number;
      readonly ack_required?: true;
      readonly payload: {
        readonly reply_to?: string;
        readonly code: string;
        readonly message: string;
        readonly retry: boolean;
        readonly received_type?: string;
      };
    }
  | {
      readonly type: 'closing';
      readonly id: string;
      readonly timestamp: number;
      readonly payload: {
        readonly code:
          | 1003
          | 1007
          | 1009
          | 1011
          | 4000
          | 4001
          | 4002
          | 4008
          | 4012
          | 4013
          | 4500
          | 4503
          | 4504
          | 4505
          | 4507
          | 4509;
        readonly reason:
          | 'unsupported_data'
          | 'invalid_utf8'
          | 'message_too_large'
          | 'internal_error'
          | 'draining'
          | 'auth_timeout'
          | 'token_expired'
          | 'slow_consumer'
          | 'ping_timeout'
          | 'rate_limited'
          | 'unauthorized'
          | 'kicked'
          | 'connection_limit'
          | 'taken_over'
          | 'forbidden'
          | 'too_many_errors'
          | 'too_busy';
        readonly reconnect: boolean;
        readonly retry_after_ms?: number;
      };
    };
type PayloadOf<Type extends ServerMessage['type']> = Extract<
  ServerMessage,
  { readonly type: Type }
>['payload'];
export type UpdatePayload = PayloadOf<'update'>;
export type SnapshotItem = PayloadOf<'snapshot'>['items'][number];
export type ClientEntry = PayloadOf<'clients_list'>['clients'][number];
