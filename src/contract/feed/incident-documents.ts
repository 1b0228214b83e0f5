import { z } from 'zod';
import { count, instant, list, oneOf, why } from './field-types.ts';

/** Why the last bytes of a device were kept. */
export const INCIDENT_REASONS = {
  offline: 'it was there, and went silent, or its link was lost',
  discards: 'many of its bytes belonged to no frame',
  alarm: 'a value crossed a limit of the level `alarm`',
  command_failed: 'a command was refused by it, or not answered',
  defect: 'Heartwire itself failed at it',
  note: '`heartwire note`, or the command `note` of a subscriber',
} as const;
export type IncidentReason = keyof typeof INCIDENT_REASONS;

const incidentCause = {
  at: instant(),
  reason: oneOf(INCIDENT_REASONS),
  code: z.string().meta({ description: 'A code of docs/reference/errors.md.' }).exactOptional(),
  detail: z.string().meta({ description: 'For people.' }),
};
const incident = z.object({
  id: z.string().meta({ description: 'Its trace is at `/api/incidents/<id>.trace`.' }),
  device: z.string(),
  bus: z
    .string()
    .meta({ description: 'The line of the device; the trace is that of the whole line.' })
    .exactOptional(),
  ...incidentCause,
  from: instant('When the trace begins, in milliseconds since the Unix epoch.'),
  to: instant('When it ends.'),
  bytes: count('Of the trace.'),
  also: list(
    z.object({ device: z.string(), ...incidentCause }).readonly(),
    'What else went wrong until the trace was written.',
  ).exactOptional(),
  also_count: count('All of them, where they are more than are listed.').exactOptional(),
  others: list(z.string(), 'Devices that went wrong at the same time, and are in no trace.').exactOptional(),
  others_count: count('All of them, where they are more than are listed.').exactOptional(),
});
export const incidents = z.object({
  status: z.enum(['ready', 'failed']).meta({ description: '`failed`: the last one could not be written.' }),
  ...why,
  dir: z.string().meta({ description: 'The folder of the traces.' }),
  files: count('Traces in it.'),
  bytes: count('What they take of the disk.'),
  omitted: count('Incidents without a trace, because there were too many at once; since the start.'),
  not_kept: list(
    z.string(),
    'Devices of which nothing is kept in the clear, because of `secrecy`.',
  ).exactOptional(),
  incidents: z
    .record(z.string(), incident.readonly())
    .readonly()
    .meta({ description: 'The latest 100 by their ids; `GET /api/incidents` has all.' }),
});

/** One incident whose trace is on the disk. */
export type IncidentDocument = Readonly<z.output<typeof incident>>;
/** The document of `bridge/incidents`. */
export type IncidentsDocument = Readonly<z.output<typeof incidents>>;

/** What the head of a trace says of its incident; undefined where it says nothing that is one. */
export function parseIncident(text: string): IncidentDocument | undefined {
  try {
    return incident.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}
