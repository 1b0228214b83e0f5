import { useSignal } from '@preact/signals';
import { ClientError } from '../../../src/client/index.ts';
import { type Device, devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { describedAt, nameOfPath, scaledText, unitBehind } from '../api/fields.ts';
import { isNumber, isObject, type Json } from '../api/json.ts';
import { flatten, valueAt, valueText, words } from '../api/values.ts';
import { durationText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { pastMoment } from '../app/location.ts';
import { Icon } from '../parts/icon.tsx';
import { type Command, type CommandField, type Fault, readField } from './commands.ts';

interface Outcome {
  readonly kind: 'sent' | 'done' | 'refused' | 'failed' | 'unknown';
  readonly text: string;
  readonly lines: ReadonlyArray<readonly [name: string, text: string]>;
}

/** One command as a form: what it takes, whether it may go, and what the device answered. */
export function CommandForm({ device, command }: { readonly device: Device; readonly command: Command }) {
  const faults = useSignal<Readonly<Record<string, Fault>>>({});
  /** What is to be confirmed before it goes. */
  const ready = useSignal<Readonly<Record<string, Json>> | undefined>(undefined);
  const outcome = useSignal<Outcome | undefined>(undefined);
  const waiting = useSignal(false);
  void device.changed.value;
  const texts = t().command;
  const asks = command.fields.length === 0 && command.reply === 'fields';

  const read = (form: HTMLFormElement): void => {
    const data = new FormData(form);
    const fields: Record<string, Json> = {};
    const wrong: Record<string, Fault> = {};
    for (const field of command.fields) {
      const typed = data.get(field.name);
      const found = readField(field, typeof typed === 'string' ? typed : '');
      if ('fault' in found) wrong[field.name] = found.fault;
      else if (found.value !== undefined) fields[field.name] = found.value;
    }
    faults.value = wrong;
    outcome.value = undefined;
    if (Object.keys(wrong).length > 0) return;
    // What only asks changes nothing, and needs no second look.
    if (asks) void send(fields);
    else ready.value = fields;
  };

  const send = async (fields: Readonly<Record<string, Json>>): Promise<void> => {
    ready.value = undefined;
    waiting.value = true;
    outcome.value = await perform(device.id, command, fields);
    waiting.value = false;
  };

  const isPast = pastMoment.value !== undefined;
  const offline = device.status === 'offline' || device.status === 'unknown';
  return (
    <form
      class="command"
      aria-label={command.label || words(command.name)}
      onSubmit={(event) => {
        event.preventDefault();
        read(event.currentTarget);
      }}
    >
      <h4>
        {command.label || words(command.name)}{' '}
        {command.label !== '' && <code class="quiet">{command.name}</code>}
      </h4>
      {command.description !== '' && <p class="quiet">{command.description}</p>}
      {command.fields.map((field) => (
        <Input
          key={field.name}
          field={field}
          device={device}
          command={command.name}
          fault={faults.value[field.name]}
        />
      ))}
      {ready.value === undefined ? (
        <p>
          <button type="submit" disabled={waiting.value || offline || isPast || feed.phase.value !== 'live'}>
            <Icon name="send" />
            {waiting.value ? texts.waiting : asks ? texts.ask : texts.send}
          </button>{' '}
          {(offline || isPast) && <span class="quiet">{isPast ? texts.past : texts.offline}</span>}
        </p>
      ) : (
        <p class="confirm" role="alertdialog" aria-label={texts.confirm(device.name)}>
          <b>{texts.confirm(device.name)}</b> <span>{fieldsText(command, ready.value)}</span>{' '}
          <button
            type="button"
            class="primary"
            ref={(button) => button?.focus()}
            onClick={() => void send(ready.value ?? {})}
          >
            {texts.yes}
          </button>{' '}
          <button
            type="button"
            onClick={() => {
              ready.value = undefined;
            }}
          >
            {texts.no}
          </button>
        </p>
      )}
      <Result outcome={outcome.value} />
    </form>
  );
}

function fieldsText(command: Command, fields: Readonly<Record<string, Json>>): string {
  return command.fields
    .filter(({ name }) => fields[name] !== undefined)
    .map(
      ({ name, label, unit }) =>
        `${label || words(name)} ${valueText(fields[name])}${unit === '' ? '' : ` ${unit}`}`,
    )
    .join(', ');
}

interface InputProps {
  readonly field: CommandField;
  readonly device: Device;
  readonly command: string;
  readonly fault: Fault | undefined;
}

function Input({ field, device, command, fault }: InputProps) {
  void device.changed.value;
  const id = `${command}-${field.name}`;
  const { name, type, label, unit, least, greatest, decimals, choices, optional, shownBy, description } =
    field;
  const now = shownBy === '' ? undefined : valueAt(device.state.values, shownBy);
  const texts = t().command;
  const range =
    least === undefined && greatest === undefined ? '' : texts.range(least ?? '…', greatest ?? '…', unit);
  const told = [
    range,
    optional && texts.optional,
    now !== undefined &&
      texts.now(`${scaledText(now, describedAt(device.declaration, shownBy).decimals)} ${unit}`.trim()),
    description,
  ].filter(Boolean);
  const common = { id, name, 'aria-describedby': `${id}-note`, 'aria-invalid': fault !== undefined } as const;
  return (
    <p class="field">
      <label for={id}>{label || words(name)}</label>
      {type === 'choice' || type === 'flag' ? (
        <select {...common}>
          {optional && <option value="" />}
          {(type === 'flag' ? ['true', 'false'] : choices).map((each) => (
            <option key={each} value={each} selected={valueText(now) === each}>
              {type === 'flag' ? (each === 'true' ? texts.on : texts.off) : each}
            </option>
          ))}
        </select>
      ) : type === 'json' ? (
        <textarea {...common} rows={2} spellcheck={false} placeholder="{}" />
      ) : (
        <span class="with-unit">
          <input
            {...common}
            type="text"
            inputMode={type === 'number' ? 'decimal' : 'text'}
            autocomplete="off"
            spellcheck={false}
            placeholder={
              PLACEHOLDERS[type] ?? (decimals === undefined ? '' : (0).toFixed(Math.min(decimals, 9)))
            }
          />
          {unit !== '' && <span class="quiet">{unit}</span>}
        </span>
      )}
      <span id={`${id}-note`} class={fault === undefined ? 'quiet' : 'fault'}>
        {fault === undefined ? told.join(' · ') : [texts.faults[fault], range].filter(Boolean).join(' · ')}
      </span>
    </p>
  );
}

const PLACEHOLDERS: Readonly<Record<string, string>> = { bytes: '0x0a0b', time: '2026-01-31T12:00:00Z' };

function Result({ outcome }: { readonly outcome: Outcome | undefined }) {
  return (
    <div class="result" role="status" data-outcome={outcome?.kind}>
      {outcome !== undefined && (
        <>
          <p>
            <b>{`${SIGNS[outcome.kind]} ${outcome.text}`}</b>
          </p>
          {outcome.lines.length > 0 && (
            <dl>
              {outcome.lines.map(([name, text]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          )}
        </>
      )}
    </div>
  );
}

const SIGNS: Readonly<Record<Outcome['kind'], string>> = {
  sent: '✓',
  done: '✓',
  refused: '✕',
  failed: '✕',
  unknown: '?',
};

/** A field of the reply as it is declared: by its label, with its unit. */
function lineOf(device: string, declared: string, path: string, value: unknown): readonly [string, string] {
  const { label, unit } = describedAt(devices.get(device)?.declaration, declared);
  return [label ?? nameOfPath(path), `${valueText(value)} ${unitBehind(unit, value)}`.trim()];
}

async function perform(
  device: string,
  command: Command,
  fields: Readonly<Record<string, Json>>,
): Promise<Outcome> {
  const texts = t().command;
  const client = feed.client.peek();
  if (client === undefined) return { kind: 'failed', text: texts.notConnected, lines: [] };
  try {
    const result = await client.command(device, command.name, fields);
    const { error, error_name: errorName, fields: answered, observed, round_trip_ms: roundTrip } = result;
    const lines = isObject(answered)
      ? [...flatten(answered)].map(([path, value]) => lineOf(device, `${command.name}.${path}`, path, value))
      : [];
    const took = isNumber(roundTrip) ? ` (${durationText(roundTrip)})` : '';
    if (isNumber(error) && error !== 0) {
      const why = typeof errorName === 'string' ? words(errorName) : texts.errorCode(error);
      return { kind: 'refused', text: texts.refused(why) + took, lines };
    }
    if (observed === true) return { kind: 'done', text: texts.observed + took, lines };
    if (observed === false) return { kind: 'unknown', text: texts.notObserved + took, lines };
    return { kind: 'sent', text: (command.reply === 'none' ? texts.sent : texts.answered) + took, lines };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const kind =
      error.code === 'command_outcome_unknown'
        ? 'unknown'
        : error.code === 'request_rejected'
          ? 'refused'
          : 'failed';
    return { kind, text: `${words(error.code)}: ${error.message}`, lines: [] };
  }
}
