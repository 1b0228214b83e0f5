/** A decoded value, as JSON carries it. Bytes are `BytesValue`. */
export type Value = null | boolean | number | string | readonly Value[] | Values;

/** Decoded values by field name; what is absent on the wire, or invalid, is absent here. */
export interface Values {
  readonly [name: string]: Value | undefined;
}

/** Bytes as JSON: base64, and how many they are. */
export interface BytesValue extends Values {
  readonly $bytes: string;
  readonly len: number;
}
