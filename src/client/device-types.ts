import type { DeclarationDocument, Json, JsonObject, StateDocument } from '../contract/wire/index.ts';

/** What `heartwire types` prints of the declared messages; with none of it, everything is JSON. */
export interface DeviceTypes {
  /** `values` in the state of a device. */
  readonly values?: object;
  /** Commands by name. */
  readonly commands?: object;
}

/** `devices/<id>/state`. What is unknown is absent. */
export type DeviceState<Types extends DeviceTypes = DeviceTypes> = Omit<StateDocument, 'values'> & {
  readonly values?: ValuesOf<Types>;
};

/** `declarations/<key>`: every field of the messages that a device speaks, by `message.field`. */
export type Declaration = DeclarationDocument;

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

/**
 * What is to be known of a value, by its path `message.field`: its own entry in the `quality` of a state, or that of the
 * nearest structure around it. Undefined where it is simply good.
 */
export function qualityOf<Quality>(
  quality: Readonly<Record<string, Quality>>,
  path: string,
): Quality | undefined {
  // An entry always has a dot, so that no name of Object's own is found.
  for (let at = path; at.includes('.'); at = at.slice(0, at.lastIndexOf('.'))) {
    const own = quality[at];
    if (own !== undefined) return own;
  }
  return undefined;
}
