import { type Answer, type Grant, JSON_TYPE, refusal, refusedTopics } from '../access/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import type { EventKind } from './batch.ts';
import { MOMENT_HINT, parseMoment } from './core/moment.ts';
import type { History, HistoryAnswer } from './history.ts';
import type { EventsQuery, Query, ValuesQuery } from './query.ts';

export const DEFAULT_SPAN_MS = 3_600_000;
export const DEFAULT_POINTS = 500;
const MOST_POINTS = 10_000;
export const DEFAULT_EVENTS = 100;
const MOST_EVENTS = 10_000;
const KINDS: readonly EventKind[] = ['status', 'link', 'alarm', 'command', 'bridge'];
/** Ids of devices, those included that are made of an address. */
const DEVICE = /^[A-Za-z0-9._-]{1,128}$/;
const LONGEST_FIELD = 512;

export interface HistoryRoutesOptions {
  /** Absent: none is kept. */
  readonly history: Pick<History, 'query'> | undefined;
  /** Epoch ms. */
  now(): number;
  /** The device is one of the bridge now. */
  isKnown(device: string): boolean;
}

/** What a request asks for besides its path, and with which rights. */
interface Asked {
  readonly query: URLSearchParams;
  readonly grant: Grant;
}

/** An answer as it goes to another instance: JSON, with the status of HTTP. */
export interface HistoryReply {
  readonly status: number;
  readonly body: string;
}

/** What was asked for wrongly; it becomes the answer. */
class BadQueryError extends Error {}

/** `/api/history/*`: what was, as far as a token may see it. */
export class HistoryRoutes {
  readonly #options: HistoryRoutesOptions;

  constructor(options: HistoryRoutesOptions) {
    this.#options = options;
  }

  /** The answer to a request that is admitted; undefined where the path is none of these. */
  find(path: string, { query, grant }: Asked): (() => Answer) | undefined {
    switch (path) {
      case '/api/history/values':
        return () => this.#checked(() => this.#values(query, grant));
      case '/api/history/events':
        return () => this.#checked(() => this.#events(query, grant));
      case '/api/history/devices':
        return () => this.#checked(() => this.#devices(query, grant));
      default:
        return undefined;
    }
  }

  /**
   * What `find` answers, for a caller that is no request of this server: another instance, which hands over the query as it
   * came, and the patterns of topics that its subscriber may read. Undefined where the path is none of these.
   */
  async ask(path: string, query: string, topics: readonly string[]): Promise<HistoryReply | undefined> {
    const grant: Grant = { subject: '', role: 'read', topics };
    const found = this.find(path, { query: new URLSearchParams(query), grant })?.();
    if (found === undefined) return undefined;
    const { status, body } = (await found.later?.()) ?? found;
    return { status, body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') };
  }

  #checked(answer: () => Answer): Answer {
    if (this.#options.history === undefined)
      return refusal(404, 'history_off', 'This bridge keeps no history (`history: false`).');
    try {
      return answer();
    } catch (error) {
      if (!(error instanceof BadQueryError)) throw error;
      return refusal(400, 'bad_request', error.message);
    }
  }

  #values(query: URLSearchParams, grant: Grant): Answer {
    onlyKnown(query, ['device', 'field', 'from', 'to', 'points']);
    const device = required(query, 'device');
    const field = required(query, 'field');
    if (field.length > LONGEST_FIELD) throw new BadQueryError('There is no field with so long a name.');
    const span = this.#span(query);
    const given = query.get('points');
    const points =
      given === 'all' ? given : wholeNumber(given, 'points', DEFAULT_POINTS, MOST_POINTS, ' or "all"');
    const asked: ValuesQuery = { device, field, ...span, points };
    const topics = [`devices/${device}/state`, `devices/${device}/messages`];
    if (!DEVICE.test(device) || topics.every((topic) => !may(grant, topic))) return unknownDevice(device);
    return this.#later({ kind: 'values', ...asked }, () => this.#unknownField(device, field));
  }

  #events(query: URLSearchParams, grant: Grant): Answer {
    onlyKnown(query, ['device', 'kind', 'from', 'to', 'limit', 'before']);
    const device = query.get('device') ?? undefined;
    const kinds = query.get('kind')?.split(',');
    const wrong = kinds?.find((kind) => !KINDS.some((each) => each === kind));
    if (wrong !== undefined) throw new BadQueryError(`kind=${short(wrong)} is none of ${KINDS.join(', ')}.`);
    const before = query.get('before');
    const place = before === null ? undefined : /^(-?\d{1,16})\.(\d{1,16})$/.exec(before);
    if (place === null) throw new BadQueryError('before is the one that an answer named.');
    const asked: EventsQuery = {
      device,
      kinds: kinds as readonly EventKind[] | undefined,
      ...this.#span(query),
      limit: wholeNumber(query.get('limit'), 'limit', DEFAULT_EVENTS, MOST_EVENTS),
      before: place && [Number(place[1]), Number(place[2])],
      topics: grant.topics,
    };
    if (device === undefined) return this.#later({ kind: 'events', ...asked });
    // A token that may read nothing of a device gets what it would get if there were none.
    if (!DEVICE.test(device) || !maySeePast(grant, device)) return unknownDevice(device);
    return this.#later({ kind: 'events', ...asked }, undefined, async (answer) => {
      const empty = answer.ok && answer.body !== undefined && answer.body.byteLength <= EMPTY_EVENTS;
      return empty && !(await this.#knows(device)) ? unknownDevice(device) : undefined;
    });
  }

  #devices(query: URLSearchParams, grant: Grant): Answer {
    onlyKnown(query, ['device']);
    const device = query.get('device') ?? undefined;
    const { topics } = grant;
    return this.#later({ kind: 'devices', device, topics }, () =>
      Promise.resolve(unknownDevice(device ?? '')),
    );
  }

  #later(
    query: Query,
    unknown?: () => Promise<Answer>,
    further?: (answer: HistoryAnswer) => Promise<Answer | undefined>,
  ): Answer {
    const later = async (): Promise<Answer> => {
      const answer = await this.#ask(query);
      const other = await further?.(answer);
      if (other !== undefined) return other;
      if (!answer.ok) return unavailable(answer.code, answer.message);
      if (answer.body === undefined)
        return (await unknown?.()) ?? refusal(404, 'not_found', 'Nothing is known of it.');
      const headers = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' };
      return { status: 200, headers, body: answer.body };
    };
    return { status: 200, headers: {}, body: '', later };
  }

  async #ask(query: Query): Promise<HistoryAnswer> {
    const { history } = this.#options;
    if (history === undefined) return { ok: false, code: 'history_off', message: 'There is no history.' };
    return history.query(query);
  }

  async #unknownField(device: string, field: string): Promise<Answer> {
    if (!(await this.#knows(device))) return unknownDevice(device);
    return refusal(404, 'field_unknown', `The history has no field "${short(field)}" of ${device}.`);
  }

  async #knows(device: string): Promise<boolean> {
    if (this.#options.isKnown(device)) return true;
    const answer = await this.#ask({ kind: 'devices', device, topics: ['#'] });
    return answer.ok && answer.body !== undefined;
  }

  #span(query: URLSearchParams): { readonly from: number; readonly to: number } {
    const now = this.#options.now();
    const moment = (name: string, otherwise: number): number => {
      const given = query.get(name);
      if (given === null || given === '') return otherwise;
      const found = parseMoment(given, now);
      if (found === undefined)
        throw new BadQueryError(`${name}=${short(given)} is no time: write ${MOMENT_HINT}.`);
      return found;
    };
    // What is measured in this very millisecond belongs to it.
    const to = moment('to', now + 1);
    const from = moment('from', to - DEFAULT_SPAN_MS);
    if (from >= to) throw new BadQueryError('from is not before to.');
    return { from, to };
  }
}

/** `{"events":[]}` and a line end. */
const EMPTY_EVENTS = 14;

const short = (text: string): string => text.slice(0, 100);

const may = (grant: Grant, topic: string): boolean => refusedTopics(grant, [topic]) === undefined;

/** Some of its past is within the topics of the token. */
export const maySeePast = (grant: Grant, device: string): boolean =>
  ['state', 'messages', 'alarms'].some((part) => may(grant, `devices/${device}/${part}`));

function unknownDevice(id: string): Answer {
  return refusal(
    404,
    'device_unknown',
    `No device is known as "${id.slice(0, 64)}"; /api/devices lists them all.`,
  );
}

export function unavailable(code: ErrorCode, message: string): Answer {
  const { fix } = new HeartwireError(code, message);
  const status = code === 'history_off' ? 404 : code === 'history_busy' ? 429 : 503;
  return refusal(status, code, fix === undefined ? message : `${message} ${fix}`, { 'Retry-After': '5' });
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === '') throw new BadQueryError(`${name}= is missing.`);
  return value;
}

function onlyKnown(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys())
    if (!names.includes(name)) throw new BadQueryError(`${short(name)}= is none of ${names.join(', ')}.`);
}

function wholeNumber(given: string | null, name: string, otherwise: number, most: number, or = ''): number {
  if (given === null || given === '') return otherwise;
  const value = Number(given);
  if (/^\d{1,9}$/.test(given) && value >= 1 && value <= most) return value;
  throw new BadQueryError(`${name}=${short(given)} is no whole number from 1 to ${most}${or}.`);
}
