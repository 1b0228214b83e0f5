import { type Answer, type Grant, jsonAnswer, mayHear, refusal } from '../../access/index.ts';
import type { IncidentDocument } from '../../contract/feed/index.ts';
import type { Asked } from './routes.ts';

/** The traces of incidents that are kept. */
export interface ServedIncidents {
  /** The oldest first. */
  readonly all: readonly IncidentDocument[];
  find(id: string): (IncidentDocument & { readonly path: string }) | undefined;
}

const LIST = '/api/incidents';
const TRACE = /^\/api\/incidents\/([^/]+)\.trace$/;
const ONE = /^\/api\/incidents\/([^/]+)$/;
const MOST_LISTED = 1_000;

/** What there is of incidents at a path; a token sees those of its devices, and traces where it may see their bytes. */
export function incidentRoutes(
  incidents: ServedIncidents,
  path: string,
  { grant, query }: Asked,
): (() => Answer) | undefined {
  if (path === LIST) return () => list(incidents, grant, query);
  const trace = TRACE.exec(path)?.[1];
  if (trace !== undefined) return () => traceOf(trace, incidents, grant);
  const one = ONE.exec(path)?.[1];
  return one === undefined ? undefined : () => oneOf(one, incidents, grant);
}

function list({ all }: ServedIncidents, grant: Grant, query: URLSearchParams): Answer {
  const device = query.get('device');
  const given = query.get('limit');
  const limit = given === null ? MOST_LISTED : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    return refusal(400, 'bad_request', `"limit" is a whole number from 1 to ${MOST_LISTED}.`);
  const seen = all.filter((each) => maySee(grant, each) && (device === null || each.device === device));
  const incidents = seen.toReversed().slice(0, limit);
  return jsonAnswer(200, { count: seen.length, incidents: incidents.map(plain) });
}

function oneOf(id: string, incidents: ServedIncidents, grant: Grant): Answer {
  const found = incidents.find(id);
  if (found === undefined || !maySee(grant, found)) return unknown(id);
  const { path: _, ...document } = found;
  return jsonAnswer(200, plain(document));
}

function traceOf(id: string, incidents: ServedIncidents, grant: Grant): Answer {
  const found = incidents.find(id);
  // A token that may not see it learns nothing of it.
  if (found === undefined || !maySee(grant, found)) return unknown(id);
  const topic = found.bus === undefined ? `devices/${found.device}/bytes` : `buses/${found.bus}/bytes`;
  if (!mayHear(grant, topic))
    return refusal(
      403,
      'forbidden',
      `The trace holds what ${topic} carries, beyond the topics of this token.`,
    );
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': `attachment; filename="${id}.trace"`,
    'Cache-Control': 'private, max-age=31536000, immutable',
  };
  return { status: 200, headers, body: '', file: { path: found.path, bytes: found.bytes } };
}

const maySee = (grant: Grant, { device }: IncidentDocument): boolean =>
  mayHear(grant, `devices/${device}/state`);

const unknown = (id: string): Answer =>
  refusal(404, 'not_found', `There is no incident "${id.slice(0, 100)}"; /api/incidents lists them all.`);

/** Incidents hold nothing that JSON has not. */
const plain = (incident: IncidentDocument) => ({ ...incident });
