/** As much of JSON Schema as the schemas of the feed and of our files are written in. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly required?: readonly string[];
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

const FITS: Readonly<Record<string, (value: unknown) => boolean>> = {
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
export function schemaProblems(schema: JsonSchema, value: unknown, closed = false): string[] {
  return new SchemaCheck(schema, closed).problems(schema, value, '$');
}

class SchemaCheck {
  /** Where references lead. */
  readonly #root: JsonSchema;
  readonly #closed: boolean;

  constructor(root: JsonSchema, closed: boolean) {
    this.#root = root;
    this.#closed = closed;
  }

  problems(schema: JsonSchema, value: unknown, path: string): string[] {
    const found: string[] = [];
    const wrong = (what: string) =>
      void found.push(`${path}: ${what}, saw ${JSON.stringify(value)?.slice(0, 200)}`);
    const below = (each: JsonSchema) => this.problems(each, value, path);
    if (schema.$ref !== undefined) found.push(...below(this.#target(schema.$ref)));
    const types = [schema.type ?? []].flat();
    if (types.length > 0 && !types.some((type) => FITS[type]?.(value) === true))
      wrong(`no ${types.join(' or ')}`);
    if (schema.const !== undefined && value !== schema.const) wrong(`not ${schema.const}`);
    if (schema.enum !== undefined && !schema.enum.includes(value)) wrong('none of the values');
    if (schema.anyOf !== undefined) {
      const ways = schema.anyOf.map(below);
      if (ways.every(({ length }) => length > 0)) found.push(...ways.flat());
    }
    if (schema.oneOf !== undefined && schema.oneOf.filter((each) => below(each).length === 0).length !== 1)
      wrong('not exactly one of the ways');
    if (schema.not !== undefined && below(schema.not).length === 0) wrong('not allowed');
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
      const { minItems = 0, maxItems = Infinity, prefixItems = [], items = {} } = schema;
      if (value.length < minItems || value.length > maxItems) wrong('of another length');
      for (const [at, each] of value.entries())
        found.push(...this.problems(prefixItems[at] ?? items, each, `${path}[${at}]`));
    } else if (typeof value === 'object' && value !== null) {
      found.push(...this.#objectProblems(schema, value, path));
    }
    return found;
  }

  #target(reference: string): JsonSchema {
    const target = this.#root.$defs?.[reference.replace('#/$defs/', '')];
    if (target === undefined) throw new Error(`${reference} leads nowhere`);
    return target;
  }

  #objectProblems(schema: JsonSchema, value: object, path: string): string[] {
    const { properties = {}, required = [], maxProperties = Infinity, additionalProperties } = schema;
    const found = required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}: lacks ${key}`);
    if (Object.keys(value).length > maxProperties) found.push(`${path}: has too many keys`);
    const others = additionalProperties ?? !(this.#closed && schema.properties !== undefined);
    for (const [key, each] of Object.entries(value)) {
      found.push(...this.problems(schema.propertyNames ?? {}, key, `${path}.${key}`));
      const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (own !== undefined) found.push(...this.problems(own, each, `${path}.${key}`));
      else if (others === false) found.push(`${path}: ${key} is not declared`);
      else if (others !== true) found.push(...this.problems(others, each, `${path}.${key}`));
    }
    return found;
  }
}
