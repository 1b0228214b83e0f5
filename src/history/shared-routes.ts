import { type Answer, type Grant, JSON_TYPE, refusal } from '../access/index.ts';
import { isJsonObject, type JsonObject } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';
import { type Answers, joinDevices, joinEvents, joinValues } from './core/join-answers.ts';
import { parseMoment } from './core/moment.ts';
import {
  DEFAULT_EVENTS,
  DEFAULT_POINTS,
  DEFAULT_SPAN_MS,
  type HistoryReply,
  type HistoryRoutes,
  maySeePast,
  unavailable,
} from './routes.ts';

/** Questions of this instance that wait for the others at once. */
const MOST_OPEN = 32;
/** Places of instances in `before`: `north:1700000000000.42,south:1700000000100.7`. */
const PLACES = /^[^:,]{1,64}:-?\d{1,16}\.\d{1,16}(?:,[^:,]{1,64}:-?\d{1,16}\.\d{1,16}){0,255}$/;

/** The other instances, and what is known of them. No call rejects. */
export interface HistoryPeers {
  readonly instance: string;
  /** Asks every instance for which there is a query. */
  ask(
    path: string,
    queryOf: (instance: string) => string | undefined,
    topics: readonly string[],
  ): Promise<{
    readonly answers: ReadonlyMap<string, HistoryReply>;
    /** What these have is missing. */
    readonly unreached: readonly string[];
  }>;
  /** The backplane answers. */
  ready(): boolean;
  /** Since when nothing is known of a device, in epoch ms. */
  lostSince(device: string): number | undefined;
}

export interface SharedHistoryOptions {
  readonly local: HistoryRoutes;
  readonly peers: HistoryPeers;
  /** Epoch ms. */
  now(): number;
}

interface Asked {
  readonly query: URLSearchParams;
  readonly grant: Grant;
}

/**
 * `/api/history/*` where several instances share one feed. Each keeps what its devices said while it had them; all of them
 * are asked, and their answers joined. What an instance has that does not answer is named in `unreached`.
 */
export class SharedHistoryRoutes {
  readonly #options: SharedHistoryOptions;
  #open = 0;

  constructor(options: SharedHistoryOptions) {
    this.#options = options;
  }

  /** The answer to a request that is admitted; undefined where the path is none of these. */
  find(path: string, { query, grant }: Asked): (() => Answer) | undefined {
    const local = this.#options.local.find(path, { query, grant });
    if (local === undefined) return undefined;
    const device = query.get('device');
    // A token that may see nothing of it learns nothing of it, and no other instance is asked.
    if (device !== null && !maySeePast(grant, device)) return local;
    return () => ({ status: 200, headers: {}, body: '', later: () => this.#answer(path, query, grant) });
  }

  async #answer(path: string, given: URLSearchParams, grant: Grant): Promise<Answer> {
    if (this.#open >= MOST_OPEN) return unavailable('history_busy', 'Too many queries wait already.');
    this.#open += 1;
    try {
      return await this.#joined(path, this.#fixed(path, given), grant);
    } finally {
      this.#open -= 1;
    }
  }

  async #joined(path: string, query: URLSearchParams, grant: Grant): Promise<Answer> {
    const { local, peers } = this.#options;
    const before = query.get('before');
    const places = before === null ? undefined : placesOf(before);
    if (before !== null && places === undefined)
      return refusal(400, 'bad_request', 'before is the one that an answer named.');
    const queryOf = (instance: string): string | undefined => {
      const own = new URLSearchParams(query);
      const place = places?.get(instance);
      if (places !== undefined && place === undefined) return undefined;
      if (place !== undefined) own.set('before', place);
      return own.toString();
    };
    const ownQuery = queryOf(peers.instance);
    const [own, others] = await Promise.all([
      ownQuery === undefined ? undefined : local.ask(path, ownQuery, grant.topics),
      peers.ask(path, queryOf, grant.topics),
    ]);
    if (own?.status === 400) return replied(own);
    const replies = new Map(own === undefined ? others.answers : [[peers.instance, own], ...others.answers]);
    const silent = [...(places?.keys() ?? [])].filter((each) => !replies.has(each));
    const unreached = [...new Set([...others.unreached, ...silent])].sort();
    const joined = joinedBody(path, query, answersIn(replies));
    if (joined !== undefined) {
      const body = unreached.length === 0 ? joined : { ...joined, unreached };
      const headers = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' };
      return { status: 200, headers, body: `${JSON.stringify(body)}\n` };
    }
    const device = query.get('device') ?? '';
    if (unreached.length > 0 || !peers.ready()) return this.#missing(device, unreached);
    const [worst] = [...replies.values()].sort((a, b) => weightOf(b) - weightOf(a));
    return worst === undefined ? refusal(404, 'not_found', 'Nothing is known of it.') : replied(worst);
  }

  #missing(device: string, unreached: readonly string[]): Answer {
    const { peers } = this.#options;
    const since = peers.lostSince(device);
    const code: ErrorCode = peers.ready() ? 'owner_lost' : 'backplane_lost';
    const who = unreached.length === 0 ? 'The other instances' : unreached.join(', ');
    const until =
      since === undefined ? '' : `; nothing is known of it since ${new Date(since).toISOString()}`;
    const what = device === '' ? 'the history' : `the history of ${device.slice(0, 64)}`;
    return unavailable(code, `${who} may have ${what}, and cannot be asked now${until}.`);
  }

  /** All instances are asked for the same span, whatever their clocks say; what is no time is refused by its reader. */
  #fixed(path: string, given: URLSearchParams): URLSearchParams {
    const query = new URLSearchParams(given);
    if (path === DEVICES) return query;
    const now = this.#options.now();
    const moment = (name: string, otherwise: number): number | undefined => {
      const text = query.get(name);
      return text === null || text === '' ? otherwise : parseMoment(text, now);
    };
    const to = moment('to', now + 1);
    if (to === undefined) return query;
    query.set('to', String(to));
    const from = moment('from', to - DEFAULT_SPAN_MS);
    if (from !== undefined) query.set('from', String(from));
    return query;
  }
}

const VALUES = '/api/history/values';
const DEVICES = '/api/history/devices';

/** What those answered that know something. */
function answersIn(replies: ReadonlyMap<string, HistoryReply>): Answers {
  const found = new Map<string, JsonObject>();
  for (const [instance, { status, body }] of replies) {
    const answer = status === 200 ? parsed(body) : undefined;
    if (answer !== undefined) found.set(instance, answer);
  }
  return found;
}

function joinedBody(path: string, query: URLSearchParams, answers: Answers): JsonObject | undefined {
  if (answers.size === 0) return undefined;
  if (path === DEVICES) return joinDevices(answers);
  if (path === VALUES) {
    const points = query.get('points');
    return joinValues(answers, points === 'all' ? points : Number(points || DEFAULT_POINTS));
  }
  const { events, places } = joinEvents(answers, Number(query.get('limit') || DEFAULT_EVENTS));
  const before = [...places].map(([instance, place]) => `${instance}:${place}`).join(',');
  return { events, ...(before === '' ? {} : { before }) };
}

function placesOf(before: string): ReadonlyMap<string, string> | undefined {
  if (!PLACES.test(before)) return undefined;
  return new Map(
    before.split(',').map((each): [string, string] => {
      const [instance = '', place = ''] = each.split(':');
      return [instance, place];
    }),
  );
}

/** Of several refusals the one that knows the most: the field is unknown, the device is, there is no history. */
function weightOf({ status, body }: HistoryReply): number {
  if (status !== 404) return 3;
  const code = parsed(body)?.code;
  return code === 'field_unknown' ? 2 : code === 'history_off' ? 0 : 1;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as JsonObject;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const replied = ({ status, body }: HistoryReply): Answer => ({
  status,
  headers: { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' },
  body,
});
