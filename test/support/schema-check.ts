import type { Schema, SchemaType } from '../../src/feed/schema/schema.ts';

const FITS: Readonly<Record<SchemaType, (value: unknown) => boolean>> = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

/**
 * What is wrong with a value by a schema of ours, as `path: what`; empty: nothing. With `closed`, a key that an object
 * does not declare is wrong too, where the schema leaves that open.
 */
export function schemaProblems(schema: Schema, value: unknown, closed = false, path = '$'): string[] {
  const found: string[] = [];
  const wrong = (what: string) =>
    void found.push(`${path}: ${what}, saw ${JSON.stringify(value)?.slice(0, 200)}`);
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  if (types !== undefined && !types.some((type) => FITS[type](value))) wrong(`no ${types.join(' or ')}`);
  if (schema.const !== undefined && value !== schema.const) wrong(`not ${schema.const}`);
  if (schema.enum !== undefined && !schema.enum.some((each) => each === value)) wrong('none of the values');
  if (schema.anyOf !== undefined) {
    const ways = schema.anyOf.map((each) => schemaProblems(each, value, closed, path));
    if (ways.every(({ length }) => length > 0)) found.push(...ways.flat());
  }
  if (schema.not !== undefined && schemaProblems(schema.not, value, closed, path).length === 0)
    wrong('not allowed');
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    if (!(value >= minimum && value <= maximum)) wrong(`not from ${minimum} to ${maximum}`);
  }
  if (typeof value === 'string') {
    const { minLength = 0, maxLength = Infinity, pattern = '' } = schema;
    // JSON Schema counts characters, not halves of them.
    const { length } = [...value];
    if (length < minLength || length > maxLength) wrong('of another length');
    if (!new RegExp(pattern, 'u').test(value)) wrong(`not ${pattern}`);
  }
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Infinity, items = {} } = schema;
    if (value.length < minItems || value.length > maxItems) wrong('of another length');
    for (const [at, each] of value.entries())
      found.push(...schemaProblems(items, each, closed, `${path}[${at}]`));
  } else if (typeof value === 'object' && value !== null) {
    found.push(...objectProblems(schema, value, closed, path));
  }
  return found;
}

function objectProblems(schema: Schema, value: object, closed: boolean, path: string): string[] {
  const { properties = {}, required = [], maxProperties = Infinity, additionalProperties } = schema;
  const found = required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}: lacks ${key}`);
  if (Object.keys(value).length > maxProperties) found.push(`${path}: has too many keys`);
  const others = additionalProperties ?? !(closed && schema.properties !== undefined);
  for (const [key, each] of Object.entries(value)) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (own !== undefined) found.push(...schemaProblems(own, each, closed, `${path}.${key}`));
    else if (others === false) found.push(`${path}: ${key} is not declared`);
    else if (others !== true) found.push(...schemaProblems(others, each, closed, `${path}.${key}`));
  }
  return found;
}
