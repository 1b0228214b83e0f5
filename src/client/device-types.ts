import type { Json, JsonObject } from '../contract/feed/json.ts';

/** What `heartwire types` tells of the declared messages; with none of it, everything is JSON. */
export interface DeviceTypes {
  /** `values` in the state of a device. */
  readonly values?: object;
  /** Commands by name. */
  readonly commands?: object;
}

/** `devices/<id>/state`. What is unknown is absent. */
export interface DeviceState<Types extends DeviceTypes = DeviceTypes> {
  readonly device: string;
  readonly status: 'unknown' | 'registering' | 'online' | 'stale' | 'offline' | 'away';
  /** In ms since the Unix epoch. */
  readonly since: number;
  readonly reason?: string;
  readonly detail?: string;
  readonly link: {
    readonly status: 'disabled' | 'listening' | 'connecting' | 'connected' | 'backoff' | 'failed';
    readonly transport?: string;
    readonly address?: string;
    readonly since: number;
    readonly attempt: number;
    readonly reason?: string;
    readonly detail?: string;
  };
  readonly identity?: { readonly appid: string; readonly imei: string };
  readonly registered_as?: { readonly appid: string; readonly imei: string };
  readonly clock?: { readonly offset_ms: number; readonly bound_ms: number; readonly samples: number };
  readonly values?: ValuesOf<Types>;
  /** Of each value that is not simply good, by `message.field`; `qualityOf` looks it up. */
  readonly quality?: Readonly<Record<string, 'warn' | 'alarm' | 'invalid' | 'stale'>>;
  /** The key of the document that describes the values: `declarations/<key>`, a `Declaration`. */
  readonly declaration?: string;
  /** Stable words for what is odd but no error: `imei_checksum`. */
  readonly warnings?: readonly string[];
  readonly replay?: true;
}

/** `declarations/<key>`: every field of the messages that a device speaks, by `message.field`. */
export interface Declaration {
  readonly fields: Readonly<Record<string, { readonly unit?: string }>>;
}

export type ValuesOf<Types extends DeviceTypes> = Types extends { readonly values: infer Values }
  ? Values
  : Readonly<Record<string, JsonObject>>;

type CommandsOf<Types extends DeviceTypes> = Types extends { readonly commands: infer Commands }
  ? Commands
  : Record<never, never>;

/** Declared commands, what every device of the built-in protocol knows, and what the bridge itself does. */
export type CommandName<Types extends DeviceTypes> = Types extends { readonly commands: infer Commands }
  ? (keyof Commands & string) | 'heartbeat' | 'datetime' | 'note' | '$raw' | '$messages'
  : string;

export type CommandFields<Types extends DeviceTypes, Name extends string> =
  CommandsOf<Types> extends Record<Name, { readonly fields: infer Fields }> ? Fields : JsonObject;

export type CommandReply<Types extends DeviceTypes, Name extends string> =
  CommandsOf<Types> extends Record<Name, { readonly reply: infer Reply }> ? Reply : JsonObject;

/** What a device answered to a command. */
export interface CommandResult<Fields = JsonObject> {
  /** The device's own code; 0 is success. */
  readonly error?: number;
  readonly error_name?: string;
  readonly fields: Fields;
  readonly round_trip_ms?: number;
  /** Whether a later message confirmed it, where the declaration says what does. */
  readonly observed?: boolean;
  readonly [more: string]: Json | Fields | undefined;
}
