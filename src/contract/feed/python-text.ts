import { CLIENT_FAULTS } from '../wire/index.ts';
import type { Schema } from './json-schema.ts';
import { TOPICS } from './topic-documents.ts';

/** The documents that have a type of their own, and its name. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  deviceState: 'DeviceState',
  declaration: 'Declaration',
};

/** The module that `npm run generate` writes for the Python client: what it needs of the contract. */
export function pythonWireText(): string {
  const types = TOPICS.flatMap(({ name, document }) => {
    const type = DOCUMENTS[name];
    return type === undefined ? [] : typedDicts(type, document());
  });
  return [
    '"""Written by `npm run generate` from the contract of the feed."""',
    '',
    'from __future__ import annotations',
    '',
    'from typing import Any, Dict, List, Literal, TypedDict, Union',
    '',
    '# Close codes after which a new connection would end in the same way; so do those from 4500 to 4999.',
    `NEVER_RECONNECT = (${CLIENT_FAULTS.join(', ')})`,
    ...types.flatMap((type) => ['', type]),
    '',
  ].join('\n');
}

/**
 * One statement for the object and for each that stands in it, the inner ones first. In the notation with a call, because
 * `from` and the like are no names in Python. A key that may be absent is a key like any other: use `get`.
 */
function typedDicts(name: string, { properties = {} }: Schema): readonly string[] {
  const inner: string[] = [];
  const members = Object.entries(properties).map(([key, schema]) => {
    const type = pythonType(schema, `${name}${pascalCase(key)}`, inner);
    return `        "${key}": "${type}",`;
  });
  return [
    ...inner,
    `${name} = TypedDict(\n    "${name}",\n    {\n${members.join('\n')}\n    },\n    total=False,\n)`,
  ];
}

function pythonType(schema: Schema, name: string, inner: string[]): string {
  if (schema.anyOf !== undefined) {
    const types = schema.anyOf.map((each, index) => pythonType(each, `${name}${index + 1}`, inner));
    return `Union[${types.join(', ')}]`;
  }
  if (typeof schema.const === 'boolean') return 'bool';
  if (schema.enum !== undefined) return `Literal[${schema.enum.map((each) => `'${each}'`).join(', ')}]`;
  switch (schema.type) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'integer':
      return 'int';
    case 'number':
      return 'float';
    case 'array':
      return `List[${pythonType(schema.items ?? {}, name, inner)}]`;
    case 'object':
      if (schema.properties !== undefined) {
        inner.push(...typedDicts(name, schema));
        return name;
      }
      return typeof schema.additionalProperties === 'object'
        ? `Dict[str, ${pythonType(schema.additionalProperties, name, inner)}]`
        : 'Dict[str, Any]';
    default:
      return 'Any';
  }
}

function pascalCase(key: string): string {
  return key.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
