import type { ConfirmDeclaration } from '../../protocol/declared/declaration.ts';
import { badType, type FieldFinding, field } from '../field.ts';

const bad = (message: string, fix: string): FieldFinding => ({ code: 'config_bad_value', message, fix });

/** How far two values may be apart; the unit of a text is checked with the rest of the declaration. */
export const marginField = (description: string) =>
  field<number | string>(
    { anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }], description, examples: [0.5, '0.5 °C'] },
    (value) => checkMargin(value),
  );

function checkMargin(value: unknown): FieldFinding | undefined {
  const fix = 'Write for example 0.5, or "0.5 °C" with the unit of the field.';
  if (typeof value === 'number')
    return Number.isFinite(value) && value >= 0 ? undefined : bad('This is no difference.', fix);
  return typeof value === 'string' && value !== '' ? undefined : badType('a number', value, fix);
}

/** Own field to the field of the state that shows it. */
export const confirmsField = () => {
  const json = {
    type: 'object',
    additionalProperties: {
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          properties: {
            field: { type: 'string' },
            within: { anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }] },
          },
          required: ['field'],
          additionalProperties: false,
        },
      ],
    },
    description:
      'Own field to `message.field`, or to that `field` and how near it must come (`within`): the command is observed when these agree.',
    examples: [{ target: 'telemetry.setpoint' }, { target: { field: 'telemetry.setpoint', within: 0.01 } }],
  };
  return field<Readonly<Record<string, string | ConfirmDeclaration>>>(json, (value) => {
    const fix = 'Write for example { target: telemetry.setpoint }.';
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('fields by name', value, fix);
    for (const [own, shown] of Object.entries(value)) {
      const wrong = checkConfirm(shown);
      if (wrong !== undefined) return { ...wrong, path: [own, ...(wrong.path ?? [])] };
    }
    return undefined;
  });
};

function checkConfirm(shown: unknown): FieldFinding | undefined {
  const fix = 'Write for example telemetry.setpoint, or { field: telemetry.setpoint, within: 0.01 }.';
  if (typeof shown === 'string') return undefined;
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown))
    return badType('a field of the state', shown, fix);
  const { field: named, within, ...rest } = shown as Readonly<Record<string, unknown>>; // an object of YAML
  if (typeof named !== 'string') return { ...badType('a field of the state', named, fix), path: ['field'] };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return { ...bad('`confirms` has no such key.', fix), path: [unknown] };
  const wrong = within === undefined ? undefined : checkMargin(within);
  return wrong && { ...wrong, path: ['within'] };
}
