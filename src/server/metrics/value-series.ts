import type { DeclarationDocument, StateDocument } from '../../contract/feed/index.ts';
import type { Value, Values } from '../../contract/index.ts';
import { type JsonObject, matchesTopic } from '../../contract/wire/index.ts';

/** Series of values at most; beyond them values are left out, and counted. */
export const MOST_VALUE_SERIES = 10_000;
/** Lists that are longer hold a waveform or the like, and no values of their own. */
const LONGEST_LIST = 64;
/** Lines between two places where it may be interrupted. */
const STRIDE = 500;

export interface ValueSources {
  /** `devices/<id>/values/<message>/<field>`, with wildcards. */
  readonly patterns: readonly string[];
  /** Only they have series: devices that come unannounced could make ever more of them. */
  isConfigured(device: string): boolean;
  states(): Iterable<JsonObject>;
  declaration(key: string): DeclarationDocument | undefined;
}

/** The values of devices as they are now, in the text format of Prometheus; empty where none is asked for. */
export function* valueSeries(sources: ValueSources): Generator<undefined, string> {
  const { patterns, isConfigured } = sources;
  if (patterns.length === 0) return '';
  const lines: string[] = [];
  let omitted = 0;
  for (const document of sources.states()) {
    // The bridge writes it; its shape is part of the contract.
    const state = document as unknown as StateDocument;
    if (!isShown(document, state) || !isConfigured(state.device)) continue;
    const fields =
      state.declaration === undefined ? undefined : sources.declaration(state.declaration)?.fields;
    const rest = `${label('label', state.label)}${label('group', state.group)}`;
    for (const { group, path, value } of numbersOf(state)) {
      if (!patterns.some((pattern) => matchesTopic(pattern, topicOf(state.device, group, path)))) continue;
      if (lines.length >= MOST_VALUE_SERIES) omitted += 1;
      else {
        const full = `${group}.${path}`;
        const unit = (fields?.[full] ?? fields?.[full.replace(/\.\d+(?=\.|$)/g, '')])?.unit;
        const labels = `device="${escaped(state.device)}"${label('message', group)}${label('field', path)}`;
        lines.push(`heartwire_value{${labels}${label('unit', unit)}${rest}} ${value}`);
      }
      if ((lines.length + omitted) % STRIDE === 0) yield;
    }
  }
  return [
    '# HELP heartwire_value Values of devices that are there now, as `metrics.values` names them.',
    '# TYPE heartwire_value gauge',
    ...lines,
    '',
    `# HELP heartwire_values_omitted Values without a series, because there are ${MOST_VALUE_SERIES} of them already.`,
    '# TYPE heartwire_values_omitted gauge',
    `heartwire_values_omitted ${omitted}`,
    '',
  ].join('\n');
}

/** What a trace says, what is encrypted, and what a device said before it went away is no value of now. */
function isShown(document: JsonObject, { status, device }: StateDocument): boolean {
  return device !== undefined && document.replay !== true && (status === 'online' || status === 'away');
}

interface Found {
  readonly group: string;
  readonly path: string;
  readonly value: number;
}

function* numbersOf({ values, quality = {} }: StateDocument): Generator<Found> {
  // Values of the feed are JSON, and a group is an object.
  for (const [group, fields] of Object.entries(values ?? {}))
    for (const found of numbersIn(group, '', fields as unknown as Values))
      if (!isOld(quality, `${group}.${found.path}`)) yield found;
}

/** Whether it, or what it is a part of, was not said lately, or not rightly. */
function isOld(quality: NonNullable<StateDocument['quality']>, path: string): boolean {
  for (let at = path; at.includes('.'); at = at.slice(0, at.lastIndexOf('.')))
    if (quality[at] === 'stale' || quality[at] === 'invalid') return true;
  return false;
}

function* numbersIn(group: string, above: string, values: Values | readonly Value[]): Generator<Found> {
  for (const [name, value] of Object.entries(values)) {
    const path = `${above}${name}`;
    if (typeof value === 'number') {
      if (Number.isFinite(value)) yield { group, path, value };
    } else if (typeof value === 'boolean') yield { group, path, value: Number(value) };
    else if (typeof value === 'object' && value !== null && !('$bytes' in value))
      if (!Array.isArray(value) || value.length <= LONGEST_LIST) yield* numbersIn(group, `${path}.`, value);
  }
}

const topicOf = (device: string, group: string, path: string): string =>
  `devices/${device}/values/${group}/${path.replaceAll('.', '/')}`;
const label = (name: string, value: string | undefined): string =>
  value === undefined || value === '' ? '' : `,${name}="${escaped(value)}"`;
const escaped = (text: string): string => text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
