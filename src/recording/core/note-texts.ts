import type { StateDocument } from '../../contract/feed/index.ts';
import type { Values } from '../../contract/index.ts';
import type { RequestOutcome } from '../../devices/index.ts';

/*
 * What the notes in the trace of an incident say of a device.
 */

export function stateText({ status, reason, detail, link }: StateDocument): string {
  const why = [reason, detail].filter((each) => each !== undefined).join(': ');
  const linkWhy = link.reason === undefined || link.reason === reason ? '' : ` (${link.reason})`;
  return `status ${status}${why === '' ? '' : `: ${why}`}; link ${link.status}${linkWhy}`;
}

export function outcomeText(outcome: RequestOutcome): string {
  if (!outcome.ok) return `${outcome.code}: ${outcome.detail}`;
  const { error = 0, fields } = outcome;
  return error === 0 ? `done ${valuesText(fields)}` : `refused with error ${error}`;
}

/** Values as JSON; of bytes, how many they are: what they were stands in the trace. */
export const valuesText = (values: Values): string =>
  JSON.stringify(values, (_, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} bytes` : typeof value === 'bigint' ? String(value) : value,
  );
