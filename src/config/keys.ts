import { z } from 'zod';
import { isDuration, type Milliseconds } from './field.ts';

/*
 * A group of keys of `devices.yaml`. Each key is one expression: its type with text and bounds, its default
 * (`.prefault(...)`, as it would be written), and when a change of it takes effect (`live`). Parsing a group fills in
 * its defaults; `configOf` gives the values the names that they have in the configuration.
 */

export type Keys = Readonly<Record<string, z.ZodType>>;

/** When a change of a key takes effect; a key without a word of it needs a restart. */
export type Effect = 'at once' | 'for new connections' | 'for new changes';

const EFFECTS = new WeakMap<z.core.$ZodType, Effect>();
const DEFAULTS = new WeakMap<z.core.$ZodType, unknown>();

/** A key whose change takes effect without a restart. */
export function live<T extends z.ZodType>(type: T, effect: Effect = 'at once'): T {
  EFFECTS.set(type, effect);
  return type;
}

/** When a change of the key takes effect; undefined: after a restart. */
export const effectOf = (type: z.core.$ZodType): Effect | undefined => EFFECTS.get(type);

/** The default of a key that is filled in only once the keys of `defaults:` are known. */
export const deferredDefaultOf = (type: z.core.$ZodType): unknown => DEFAULTS.get(type);

type Deferred<K extends Keys> = {
  readonly [N in keyof K]: K[N] extends z.ZodPrefault<infer T extends z.ZodType> ? z.ZodOptional<T> : K[N];
};

/** The same keys where another part of the file may give what is left out: nothing is filled in. */
export function deferred<K extends Keys>(keys: K): Deferred<K> {
  const entries = Object.entries(keys).map(([key, type]): [string, z.core.$ZodType] => {
    if (!(type instanceof z.ZodPrefault)) return [key, type];
    const inner = z.optional(type.unwrap());
    DEFAULTS.set(inner, type.def.defaultValue);
    return [key, inner];
  });
  // Each key is still there, and only those with a default have another type.
  return Object.fromEntries(entries) as Deferred<K>;
}

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** `auth_timeout` is `authTimeoutMs` in the configuration, and `budget_mb` or `max_kb` are `...Bytes`. */
type ConfigName<K extends string, V> = [NonNullable<V>] extends [Milliseconds]
  ? `${Camel<K>}Ms`
  : K extends `${infer Head}_mb` | `${infer Head}_kb`
    ? `${Camel<Head>}Bytes`
    : Camel<K>;

type ConfigValue<V> = [V] extends [Milliseconds] ? number : V extends readonly (infer E)[] ? readonly E[] : V;

/** The values of a group of keys as the configuration has them: durations in ms, sizes in bytes, and so named. */
export type ConfigOf<K extends Keys> = {
  readonly [N in keyof K & string as undefined extends z.output<K[N]>
    ? never
    : ConfigName<N, z.output<K[N]>>]: ConfigValue<z.output<K[N]>>;
} & {
  readonly [N in keyof K & string as undefined extends z.output<K[N]>
    ? ConfigName<N, z.output<K[N]>>
    : never]?: ConfigValue<NonNullable<z.output<K[N]>>>;
};

/** The name that the value of a key has in the configuration. */
export function configName(key: string, type: z.core.$ZodType): string {
  const words = isDuration(type) ? `${key}_ms` : key.replace(/_[mk]b$/, '_bytes');
  return words.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

type Values<K extends Keys> = z.core.$InferObjectOutput<K, Record<never, never>>;
type Part<K extends Keys> = { readonly [N in keyof K]?: z.output<K[N]> | undefined };

/** Names the values of a group as the configuration does; absent ones stay absent. */
export function configOf<K extends Keys>(keys: K, values: Values<K>): ConfigOf<K> {
  return named(keys, [values]);
}

/** The defaults of a group all of whose keys may be left out. */
export const defaultsOf = <K extends Keys>(keys: K): Values<K> => z.strictObject(keys).parse({}) as Values<K>;

const DEFAULT_VALUES = new WeakMap<Keys, object>();

/**
 * The values of a group that several parts of the file may give, the last one of them first, and then the defaults;
 * named as the configuration does.
 */
export function resolveKeys<K extends Keys>(
  keys: K,
  ...parts: readonly (Part<NoInfer<K>> | undefined)[]
): ConfigOf<K> {
  const defaults = DEFAULT_VALUES.get(keys) ?? defaultsOf(keys);
  DEFAULT_VALUES.set(keys, defaults);
  return named(keys, [...parts.toReversed(), defaults]);
}

function named<K extends Keys>(keys: K, parts: readonly (object | undefined)[]): ConfigOf<K> {
  const values: Record<string, unknown> = {};
  for (const [key, type] of Object.entries(keys)) {
    const part = parts.find((each) => Reflect.get(each ?? {}, key) !== undefined);
    if (part !== undefined) values[configName(key, type)] = Reflect.get(part, key);
  }
  // Names and types follow from the keys in the same way here and in `ConfigOf`.
  return values as ConfigOf<K>;
}
