import { type Answer, type Grant, jsonAnswer, mayHear, refusal } from '../../access/index.ts';
import type { IncidentDocument } from '../../contract/feed/index.ts';
import { ERROR_CODES } from '../../errors.ts';
import type { Asked } from './routes.ts';

/** The traces of incidents that are kept. */
export interface ServedIncidents {
  /** The oldest first. */
  readonly all: readonly IncidentDocument[];
  find(id: string): (IncidentDocument & { readonly path: string }) | undefined;
}

/** An incident of another instance. */
export type PeerIncident = IncidentDocument & { readonly instance: string };

/** The incidents of the other instances, which lie where their devices were. No call rejects. */
export interface IncidentPeers {
  /** The name of this instance. */
  readonly instance: string;
  /** Those that these patterns cover, the newest of each instance; of one device, or the one with an id. */
  list(of: {
    readonly device?: string | undefined;
    readonly id?: string | undefined;
    readonly topics: readonly string[];
  }): Promise<{ readonly incidents: readonly PeerIncident[]; readonly unreached: readonly string[] }>;
  /** The bytes of a trace; undefined where its instance does not answer, or not with all of them. */
  trace(incident: PeerIncident): Promise<readonly Uint8Array[] | undefined>;
}

const LIST = '/api/incidents';
const TRACE = /^\/api\/incidents\/([^/]+)\.trace$/;
const ONE = /^\/api\/incidents\/([^/]+)$/;
const MOST_LISTED = 1_000;
const NONE: ServedIncidents = { all: [], find: () => undefined };

/**
 * What there is of incidents at a path; a token sees those of its devices, and traces where it may see their bytes. Where
 * there are other instances, theirs too.
 */
export function incidentRoutes(
  served: ServedIncidents | undefined,
  path: string,
  { grant, query }: Asked,
  peers?: IncidentPeers,
): (() => Answer) | undefined {
  if (served === undefined && peers === undefined) return undefined;
  const incidents = served ?? NONE;
  if (path === LIST) return () => list(incidents, grant, query, peers);
  const [trace, one] = [TRACE.exec(path)?.[1], ONE.exec(path)?.[1]];
  const id = trace ?? one;
  if (id === undefined) return undefined;
  const found = incidents.find(id);
  if (found === undefined && peers !== undefined)
    return () => later(() => foreign(id, trace !== undefined, peers, grant));
  // A token that may not see it learns nothing of it.
  if (found === undefined || !maySee(grant, found)) return () => unknown(id);
  const { path: file, ...document } = found;
  if (trace === undefined) return () => jsonAnswer(200, plain(document));
  return () =>
    refusedTrace(grant, found) ?? {
      status: 200,
      headers: traceHeaders(id),
      body: '',
      file: { path: file, bytes: found.bytes },
    };
}

function list(
  { all }: ServedIncidents,
  grant: Grant,
  query: URLSearchParams,
  peers: IncidentPeers | undefined,
): Answer {
  const device = query.get('device') ?? undefined;
  const given = query.get('limit');
  const limit = given === null ? MOST_LISTED : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    return refusal(400, 'bad_request', `"limit" is a whole number from 1 to ${MOST_LISTED}.`);
  const seen = all.filter((each) => maySee(grant, each) && (device === undefined || each.device === device));
  if (peers === undefined) {
    const incidents = seen.toReversed().slice(0, limit);
    return jsonAnswer(200, { count: seen.length, incidents: incidents.map(plain) });
  }
  return later(async () => {
    const others = await peers.list({ device, topics: grant.topics });
    const every = [
      ...seen.map((each) => ({ ...each, instance: peers.instance })),
      ...others.incidents.filter((each) => maySee(grant, each)),
    ].sort((a, b) => b.at - a.at);
    const missing = others.unreached.length === 0 ? {} : { unreached: others.unreached };
    return jsonAnswer(200, {
      count: every.length,
      incidents: every.slice(0, limit).map(plain),
      ...missing,
    });
  });
}

/** An incident that is not kept here. */
async function foreign(id: string, trace: boolean, peers: IncidentPeers, grant: Grant): Promise<Answer> {
  const { incidents, unreached } = await peers.list({ id, topics: grant.topics });
  const found = incidents.find((each) => each.id === id && maySee(grant, each));
  if (found === undefined) return unreached.length === 0 ? unknown(id) : unreachable(id, unreached);
  if (!trace) return jsonAnswer(200, plain(found));
  const refused = refusedTrace(grant, found);
  if (refused !== undefined) return refused;
  const pieces = await peers.trace(found);
  if (pieces === undefined) return unreachable(id, [found.instance]);
  return { status: 200, headers: traceHeaders(id), body: '', pieces };
}

function refusedTrace(grant: Grant, { device, bus }: IncidentDocument): Answer | undefined {
  const topic = bus === undefined ? `devices/${device}/bytes` : `buses/${bus}/bytes`;
  if (mayHear(grant, topic)) return undefined;
  return refusal(403, 'forbidden', `The trace holds what ${topic} carries, beyond the topics of this token.`);
}

const traceHeaders = (id: string) => ({
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Disposition': `attachment; filename="${id}.trace"`,
  'Cache-Control': 'private, max-age=31536000, immutable',
});

const later = (make: () => Promise<Answer>): Answer => ({ status: 200, headers: {}, body: '', later: make });

const maySee = (grant: Grant, { device }: IncidentDocument): boolean =>
  mayHear(grant, `devices/${device}/state`);

const unknown = (id: string): Answer =>
  refusal(404, 'not_found', `There is no incident "${id.slice(0, 100)}"; /api/incidents lists them all.`);

function unreachable(id: string, instances: readonly string[]): Answer {
  const { fix } = ERROR_CODES.owner_lost;
  const what = `Incident "${id.slice(0, 100)}" may lie at ${instances.join(', ')}, which cannot be asked now.`;
  return refusal(503, 'owner_lost', `${what} ${fix}`, { 'Retry-After': '5' });
}

/** Incidents hold nothing that JSON has not. */
const plain = (incident: IncidentDocument) => ({ ...incident });
