import { badType, field } from '../field.ts';

/** Where the id of a message stands, and what it looks like. */
export const idField = field<string | { readonly type: string; readonly at?: number }>(
  {
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: { type: { type: 'string' }, at: { type: 'integer', minimum: 0 } },
        required: ['type'],
        additionalProperties: false,
      },
    ],
    description:
      'Type of the message id, and its offset in the payload; messages have none where `framing` is given and this is left out.',
    examples: ['i8', { type: 'u16be', at: 2 }],
  },
  (value) => {
    const fix = 'Write for example i8, or { type: u16be, at: 2 }.';
    if (typeof value === 'string') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('the type of the id', value, fix);
    const known = Object.keys(value).every((key) => key === 'type' || key === 'at');
    const typed = 'type' in value && typeof value.type === 'string';
    const placed = !('at' in value) || typeof value.at === 'number';
    if (known && typed && placed) return undefined;
    return { code: 'config_bad_value', message: 'This is no message id.', fix };
  },
);
