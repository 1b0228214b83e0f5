import { useComputed, useSignal } from '@preact/signals';
import type { Inspected, PlacedField } from '../../../src/inspection/browser.ts';
import { valueText } from '../api/values.ts';
import { t } from '../app/language.ts';
import type { Record } from './record.ts';
import { fieldAt, lit } from './selection.ts';
import { asciiOf, hexByte, hexOf, kindOf, nameOf, summaryOf } from './words.ts';

/** Bytes of a line, and lines that are drawn at once: of a longer frame the rest is shown on demand. */
const PER_LINE = 16;
const MOST_BYTES = 4_096;

/** Hex beside meaning: what is pointed at in one lights up in the other. */
export function FrameDetail({
  record,
  item,
}: {
  readonly record: Record;
  readonly item: Inspected | undefined;
}) {
  const texts = t().frames;
  if (item === undefined) return <p class="detail empty quiet">{texts.choose}</p>;
  const fields = record.fields(item);
  return (
    <section class="detail" aria-label={texts.detail}>
      <header>
        <h2>{nameOf(item)}</h2>
        <span class="tag" data-kind={kindOf(item)}>
          {kindWord(kindOf(item))}
        </span>
        {'bytes' in item && <span class="quiet">{texts.bytes(item.bytes.length)}</span>}
      </header>
      {item.kind !== 'frame' && summaryOf(item) !== '' && <p class="why">{summaryOf(item)}</p>}
      {item.kind === 'frame' && item.meaning.name !== 'declared' && (
        <p class="why">
          {item.meaning.name === 'unknown' ? unknownText(item.meaning.answers) : summaryOf(item)}
        </p>
      )}
      {item.kind === 'group' && <Values fields={groupFields(item)} />}
      {'bytes' in item && <Bytes bytes={item.bytes} fields={fields} discarded={item.kind === 'discarded'} />}
      {fields.length > 0 && <Fields fields={fields} item={item} />}
      {item.kind === 'frame' && item.meaning.name === 'declared' && item.meaning.issues.length > 0 && (
        <ul class="issues">
          {item.meaning.issues.map(({ field, detail }) => (
            <li key={`${field} ${detail}`}>
              <b>{field}</b> {detail}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function unknownText(answers: readonly string[] | undefined): string {
  const texts = t().frames;
  return answers === undefined ? texts.undeclared : texts.ambiguous(answers.join(', '));
}

export function kindWord(kind: string): string {
  const { kinds } = t().frames;
  return Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : kind;
}

function groupFields(item: Extract<Inspected, { kind: 'group' }>): readonly (readonly [string, unknown])[] {
  return item.meaning.name === 'declared' ? Object.entries(item.meaning.fields) : [];
}

function Values({ fields }: { readonly fields: readonly (readonly [string, unknown])[] }) {
  return (
    <dl class="values">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{valueText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface BytesProps {
  readonly bytes: Uint8Array;
  readonly fields: readonly PlacedField[];
  readonly discarded: boolean;
}

function Bytes({ bytes, fields, discarded }: BytesProps) {
  const texts = t().frames;
  const whole = useSignal(false);
  const shown = whole.value ? bytes.length : Math.min(bytes.length, MOST_BYTES);
  const lines = Array.from({ length: Math.ceil(shown / PER_LINE) }, (_, index) => index * PER_LINE);
  const point = (at: number): void => {
    const field = fieldAt(fields, at);
    const of = field === undefined ? undefined : fields[field];
    lit.value = of === undefined ? { start: at, end: at + 1 } : { start: of.start, end: of.end, field };
  };
  return (
    // biome-ignore lint/a11y/useKeyWithMouseEvents: the keys are those of the grid below
    <div
      class={`hex mono${discarded ? ' discarded' : ''}`}
      role="grid"
      aria-label={texts.hex}
      tabIndex={0}
      onMouseOver={(event) => {
        const at = (event.target as HTMLElement).dataset.at;
        if (at !== undefined) point(Number(at));
      }}
      onMouseLeave={() => {
        lit.value = undefined;
      }}
      onKeyDown={(event) => {
        const step = STEPS[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const from = lit.value;
        const next = from === undefined ? 0 : step > 0 ? from.end - 1 + step : from.start + step;
        point(Math.min(Math.max(next, 0), bytes.length - 1));
      }}
    >
      {lines.map((from) => (
        <div key={from} role="row" class="hex-line">
          <span role="rowheader" class="offset">
            {from.toString(16).padStart(4, '0')}
          </span>
          <span class="cells" role="presentation">
            {columns(from, shown).map((at) => (
              <Cell key={at} at={at} fields={fields} text={hexByte(bytes[at] ?? 0)} />
            ))}
          </span>
          <span class="ascii" role="presentation">
            {columns(from, shown).map((at) => (
              <Cell key={at} at={at} fields={fields} text={asciiOf(bytes[at] ?? 0)} />
            ))}
          </span>
        </div>
      ))}
      {shown < bytes.length && (
        <button
          type="button"
          onClick={() => {
            whole.value = true;
          }}
        >
          {texts.showAll(bytes.length)}
        </button>
      )}
    </div>
  );
}

const STEPS: Readonly<{ [key: string]: number }> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowDown: PER_LINE,
  ArrowUp: -PER_LINE,
};

const columns = (from: number, end: number): readonly number[] =>
  Array.from({ length: Math.min(PER_LINE, end - from) }, (_, index) => from + index);

interface CellProps {
  readonly at: number;
  readonly text: string;
  readonly fields: readonly PlacedField[];
}

function Cell({ at, text, fields }: CellProps) {
  const isLit = useComputed(() => lit.value !== undefined && at >= lit.value.start && at < lit.value.end);
  const field = fieldAt(fields, at);
  const framing = field === undefined || fields[field]?.framing === true;
  return (
    <span
      role="gridcell"
      data-at={at}
      data-lit={isLit.value ? '' : undefined}
      class={framing ? 'around' : `f${(field ?? 0) % 2}`}
    >
      {text}
    </span>
  );
}

function Fields({ fields, item }: { readonly fields: readonly PlacedField[]; readonly item: Inspected }) {
  const texts = t().frames;
  const bytes = 'bytes' in item ? item.bytes : new Uint8Array(0);
  const point = (index: number): void => {
    const field = fields[index];
    lit.value = field && { start: field.start, end: field.end, field: index };
  };
  return (
    <div class="fields-box">
      <table class="fields">
        <thead>
          <tr>
            <th scope="col">{texts.field}</th>
            <th scope="col">{texts.value}</th>
            <th scope="col">{texts.raw}</th>
            <th scope="col">{texts.place}</th>
            <th scope="col">{texts.hex}</th>
          </tr>
        </thead>
        <tbody
          onMouseLeave={() => {
            lit.value = undefined;
          }}
        >
          {fields.map((field, index) => (
            <FieldRow
              key={index}
              field={field}
              index={index}
              bytes={bytes}
              holds={(fields[index + 1]?.depth ?? 0) > field.depth}
              point={point}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface FieldRowProps {
  readonly field: PlacedField;
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Its parts follow, with values of their own. */
  readonly holds: boolean;
  readonly point: (index: number) => void;
}

function FieldRow({ field, index, bytes, holds, point }: FieldRowProps) {
  const { name, depth, framing, start, end, value, raw, unit, note } = field;
  const texts = t().frames;
  const isLit = useComputed(() => {
    const { value: now } = lit;
    return (
      now !== undefined &&
      (now.field === index || (now.field === undefined && now.start >= start && now.end <= end))
    );
  });
  const short = depth === 0 ? name : (/((?:\[\d+\]|[^.[\]]+))$/.exec(name)?.[1] ?? name);
  const length = end - start;
  return (
    <tr
      data-lit={isLit.value ? '' : undefined}
      class={framing ? 'around' : undefined}
      tabIndex={0}
      onMouseEnter={() => point(index)}
      onFocus={() => point(index)}
      onBlur={() => {
        lit.value = undefined;
      }}
      onKeyDown={(event) => {
        const row = event.currentTarget;
        const next =
          event.key === 'ArrowDown'
            ? row.nextElementSibling
            : event.key === 'ArrowUp'
              ? row.previousElementSibling
              : null;
        if (next === null) return;
        event.preventDefault();
        (next as HTMLElement).focus();
      }}
    >
      <th scope="row">
        <span class={`depth d${Math.min(depth, 6)}`}>{framing ? partWord(name) : short}</span>
      </th>
      <td class="value">
        {value === undefined || holds ? <span class="quiet">{note ?? ''}</span> : shortValue(value)}
        {unit !== undefined && <span class="unit"> {unit}</span>}
      </td>
      <td class="quiet mono">{raw === undefined || holds ? '' : shortValue(raw)}</td>
      <td class="quiet num">{length === 0 ? '' : texts.range(start, length)}</td>
      <td class="mono">
        {hexOf(bytes.subarray(start, Math.min(end, start + 8)), 8, ' ')}
        {length > 8 ? ' …' : ''}
      </td>
    </tr>
  );
}

function partWord(name: string): string {
  const { parts } = t().frames;
  return Object.hasOwn(parts, name) ? parts[name as keyof typeof parts] : name;
}

function shortValue(value: unknown): string {
  // Binary fractions have more digits than any scale means.
  const text = valueText(typeof value === 'number' ? Number(value.toPrecision(10)) : value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
