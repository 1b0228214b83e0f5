/** As much of JSON Schema (2020-12) as the schemas of our files are written in. */
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

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

/** Whether a value is as a schema says; `root` is where its references lead. */
export function fits(schema: JsonSchema, value: unknown, root: JsonSchema = schema): boolean {
  const { $ref, type, anyOf, oneOf, not } = schema;
  if ($ref !== undefined) {
    const target = root.$defs?.[$ref.replace('#/$defs/', '')];
    if (target === undefined) throw new Error(`${$ref} leads nowhere`);
    if (!fits(target, value, root)) return false;
  }
  const below = (each: JsonSchema) => fits(each, value, root);
  return (
    (type === undefined || [type].flat().some((each) => TYPES[each]?.(value) === true)) &&
    (schema.enum === undefined || schema.enum.includes(value)) &&
    (schema.const === undefined || schema.const === value) &&
    (anyOf === undefined || anyOf.some(below)) &&
    (oneOf === undefined || oneOf.filter(below).length === 1) &&
    (not === undefined || !below(not)) &&
    fitsText(schema, value) &&
    fitsNumber(schema, value) &&
    fitsList(schema, value, root) &&
    fitsKeys(schema, value, root)
  );
}

function fitsText(
  { minLength = 0, maxLength = Infinity, pattern = '' }: JsonSchema,
  value: unknown,
): boolean {
  if (typeof value !== 'string') return true;
  const { length } = [...value];
  return length >= minLength && length <= maxLength && new RegExp(pattern, 'u').test(value);
}

function fitsNumber({ minimum = -Infinity, maximum = Infinity }: JsonSchema, value: unknown): boolean {
  return typeof value !== 'number' || (value >= minimum && value <= maximum);
}

function fitsList(schema: JsonSchema, value: unknown, root: JsonSchema): boolean {
  if (!Array.isArray(value)) return true;
  const { prefixItems = [], items = {}, minItems = 0, maxItems = Infinity } = schema;
  if (value.length < minItems || value.length > maxItems) return false;
  return value.every((each, index) => fits(prefixItems[index] ?? items, each, root));
}

function fitsKeys(schema: JsonSchema, value: unknown, root: JsonSchema): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  const { properties = {}, additionalProperties = true, propertyNames = {}, required = [] } = schema;
  if (required.some((key) => !Object.hasOwn(value, key))) return false;
  return Object.entries(value).every(([key, each]) => {
    if (!fits(propertyNames, key, root)) return false;
    const own = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    return typeof own === 'object' ? fits(own, each, root) : own !== false;
  });
}
