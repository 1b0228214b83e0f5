import type { IdDeclaration } from '../../protocol/index.ts';
import { badType, field } from '../field.ts';

/** One place of an id. */
export interface IdShape {
  readonly type: string;
  readonly at?: number;
  readonly bits?: number | string;
  readonly length?: number;
  readonly until?: string;
}

const ID_KEYS = { type: 'string', at: 'number', bits: 'number or text', length: 'number', until: 'string' };
const onePlace = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    at: { type: 'integer', minimum: 0 },
    bits: { type: ['integer', 'string'] },
    length: { type: 'integer', minimum: 1 },
    until: { type: 'string', minLength: 1 },
  },
  required: ['type'],
  additionalProperties: false,
};

/** Where the id of a message stands, and what it looks like. */
export const idField = field<string | IdShape | readonly IdShape[]>(
  {
    anyOf: [{ type: 'string' }, onePlace, { type: 'array', items: onePlace, minItems: 1, maxItems: 4 }],
    description:
      'Type of the message id, and its offset in the payload (`at`); some `bits` of a number; a `text` with a `length` or up to what ends it (`until`); or a list of these. Messages have none where `framing` is given and this is left out.',
    examples: ['i8', { type: 'u16be', at: 2 }, { type: 'text', until: ',' }],
  },
  (given) => {
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    for (const each of list) {
      const wrong = checkId(each);
      if (wrong !== undefined) return wrong;
    }
    return list.length > 0 && list.length <= 4 ? undefined : checkId({});
  },
);

function checkId(value: unknown): ReturnType<typeof badType> | undefined {
  const fix = 'Write for example i8, or { type: u16be, at: 2 }.';
  if (typeof value === 'string') return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return badType('the type of the id', value, fix);
  const right = Object.entries(value).every(([key, each]) => {
    const kind = Object.hasOwn(ID_KEYS, key) ? ID_KEYS[key as keyof typeof ID_KEYS] : 'none'; // just asked
    return kind.includes(typeof each === 'string' && kind !== 'string' ? 'text' : typeof each);
  });
  if (right && 'type' in value) return undefined;
  return { code: 'config_bad_value', message: 'This is no message id.', fix };
}

/** The place of an id that is a number. */
export function placeOf(given: string | IdShape | readonly IdShape[]): IdDeclaration {
  if (typeof given === 'string') return { type: given, at: 0 };
  const [first] = Array.isArray(given) ? (given as readonly IdShape[]) : [given as IdShape];
  const plain = first?.bits === undefined && !(Array.isArray(given) && given.length > 1);
  return { type: plain ? (first?.type ?? '') : '', at: first?.at ?? 0 };
}
