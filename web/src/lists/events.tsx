import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { nameOfField } from '../api/fields.ts';
import { getJson, HttpError } from '../api/http.ts';
import { isNumber, isObject, type JsonObject, listOf, textOf } from '../api/json.ts';
import { numberText, valueText } from '../api/values.ts';
import { momentText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href, pastMoment, queryOf, setQuery } from '../app/location.ts';
import type { PageProps } from '../app/pages.ts';
import { devicePath } from '../app/routes.ts';
import { because, LinkSign, StatusBadge } from '../parts/status.tsx';
import './lists.css';

const KINDS = ['status', 'link', 'alarm', 'command', 'bridge'] as const;
const SPANS = { '-1h': 'hour', '-1d': 'day', '-7d': 'week', '-30d': 'month' } as const;
const SPAN_MS: Readonly<Record<string, number>> = {
  '-1h': 3_600_000,
  '-1d': 86_400_000,
  '-7d': 7 * 86_400_000,
  '-30d': 30 * 86_400_000,
};
const PER_PAGE = 200;
const MOST_LIVE = 500;

/** What happened: out of the history, and as it happens. */
export function Page(_: PageProps) {
  const texts = t().events;
  const past = useSignal<readonly JsonObject[]>([]);
  const live = useSignal<readonly JsonObject[]>([]);
  const before = useSignal<string | undefined>(undefined);
  const problem = useSignal('');
  const off = useSignal(false);
  const device = queryOf('device');
  const kind = queryOf('kind');
  const from = queryOf('from') || '-1d';
  const moment = pastMoment.value;
  /** Up to the moment that the page shows. */
  const span =
    moment === undefined
      ? { from }
      : { from: moment - (SPAN_MS[from] ?? SPAN_MS['-1d'] ?? 0), to: moment + 1 };

  const fetchPage = async (older: string | undefined, signal: AbortSignal): Promise<void> => {
    try {
      const found = await getJson(
        '/api/history/events',
        { device: device || undefined, kind: kind || undefined, ...span, limit: PER_PAGE, before: older },
        signal,
      );
      const { events, before: next } = isObject(found) ? found : {};
      const page = listOf(events)
        .filter(isObject)
        .sort((a, b) => Number(b.at) - Number(a.at));
      past.value = older === undefined ? page : [...past.peek(), ...page];
      before.value = textOf(next) || undefined;
      problem.value = '';
    } catch (cause) {
      if (signal.aborted) return;
      off.value = cause instanceof HttpError && cause.status === 404;
      problem.value = cause instanceof Error ? cause.message : String(cause);
    }
  };
  const asked = useComputed(() =>
    [queryOf('device'), queryOf('kind'), queryOf('from'), pastMoment.value, feed.phase.value].join(),
  );
  useSignalEffect(() => {
    void asked.value;
    if (feed.phase.peek() !== 'live') return undefined;
    const stop = new AbortController();
    live.value = [];
    void fetchPage(undefined, stop.signal);
    return () => stop.abort();
  });
  // The same kinds of events as they happen; what the history has by then is not shown twice.
  useSignalEffect(() => {
    const client = feed.client.value;
    if (client === undefined) return undefined;
    const seen = new Map<string, string>();
    const add = (event: JsonObject): void => {
      live.value = [event, ...live.peek()].slice(0, MOST_LIVE);
    };
    const statesOf = (id: string): void => {
      const state = client.view.document(`devices/${id}/state`) ?? {};
      for (const [which, axis] of [
        ['status', state],
        ['link', isObject(state.link) ? state.link : {}],
      ] as const) {
        const { status, since, reason, detail } = axis;
        const key = `${which}/${id}`;
        const now = `${status}@${since}`;
        const known = seen.get(key);
        seen.set(key, now);
        if (known === undefined || known === now || typeof status !== 'string') continue;
        add({
          at: since ?? Date.now(),
          device: id,
          kind: which,
          status,
          ...(reason === undefined ? {} : { reason }),
          ...(detail === undefined ? {} : { detail }),
        });
      }
    };
    for (const id of client.view.devices()) statesOf(id);
    const alarms = client.subscribe('devices/+/alarms');
    const ends = [
      client.view.onChange(({ device: id, topic }) => {
        if (id !== undefined && topic.endsWith('/state')) statesOf(id);
      }),
      client.on('item', (item) => {
        if (item.kind !== 'event' || item.device === undefined || !item.topic.endsWith('/alarms')) return;
        if (isObject(item.data)) add({ device: item.device, kind: 'alarm', ...item.data });
      }),
      () => alarms.unsubscribe(),
    ];
    return () => {
      for (const end of ends) end();
    };
  });
  const fits = (event: JsonObject): boolean =>
    (device === '' || event.device === device) &&
    (kind === '' || event.kind === kind) &&
    (moment === undefined || Number(event.at) <= moment);
  const keyOf = ({ at, device: of, kind: which, status, message, field }: JsonObject): string =>
    [at, of, which, status, message, field].join('|');
  const known = new Set(past.value.map(keyOf));
  const shown = [...live.value.filter((event) => fits(event) && !known.has(keyOf(event))), ...past.value];
  void devices.listed.value;
  const ids = [...devices.all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <section class="listing">
      <header>
        <h2>{t().app.events}</h2>
        <select
          aria-label={texts.device}
          value={device}
          onChange={(event) => setQuery({ device: event.currentTarget.value })}
        >
          <option value="">{t().incidents.everyDevice}</option>
          {ids.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <select
          aria-label={texts.kind}
          value={kind}
          onChange={(event) => setQuery({ kind: event.currentTarget.value })}
        >
          <option value="">{texts.everyKind}</option>
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {texts.kinds[each]}
            </option>
          ))}
        </select>
        <select
          aria-label={texts.span}
          value={from}
          onChange={(event) => setQuery({ from: event.currentTarget.value })}
        >
          {Object.entries(SPANS).map(([value, name]) => (
            <option key={value} value={value}>
              {texts.spans[name]}
            </option>
          ))}
        </select>
        {moment === undefined && <span class="quiet">{texts.tail}</span>}
      </header>
      {problem.value !== '' && <p class="card note quiet">{off.value ? texts.noHistory : problem.value}</p>}
      {shown.length === 0 ? (
        <p class="card note quiet">{texts.nothing}</p>
      ) : (
        <div class="card rows-box">
          <table class="rows stacked">
            <thead>
              <tr>
                <th scope="col">{t().incidents.at}</th>
                <th scope="col">{t().incidents.device}</th>
                <th scope="col">{texts.kind}</th>
                <th scope="col">{texts.what}</th>
                <th scope="col">{t().incidents.detail}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((event, index) => (
                <EventRow key={`${keyOf(event)} ${index}`} event={event} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {before.value !== undefined && (
        <button type="button" onClick={() => void fetchPage(before.value, new AbortController().signal)}>
          {texts.older}
        </button>
      )}
    </section>
  );
}

function EventRow({ event }: { readonly event: JsonObject }) {
  void devices.listed.value;
  const { at, kind } = event;
  const device = textOf(event.device);
  const kinds: Readonly<{ [key: string]: string }> = t().events.kinds;
  return (
    <tr>
      <td class="num">{isNumber(at) ? momentText(at) : ''}</td>
      <th scope="row">
        {device === '' ? '' : <a href={href(devicePath(device))}>{devices.get(device)?.name ?? device}</a>}
      </th>
      <td class="kind">{kinds[textOf(kind)] ?? textOf(kind)}</td>
      <td>
        <What event={event} />
      </td>
      <td class="wide">{because(event)}</td>
    </tr>
  );
}

function What({ event }: { readonly event: JsonObject }) {
  const texts = t().events;
  switch (event.kind) {
    case 'status':
      return <StatusBadge status={textOf(event.status)} />;
    case 'link':
      return <LinkSign status={textOf(event.status)} />;
    case 'alarm': {
      const { message, field, value, unit, limit, direction, cleared, level } = event;
      const path = [message, field].filter(Boolean).join('.');
      const name = nameOfField(devices.get(textOf(event.device))?.declaration, path);
      const withUnit = (each: number): string => `${numberText(each)} ${textOf(unit)}`.trimEnd();
      const reading = isNumber(value) ? withUnit(value) : '';
      const bound = isNumber(limit) ? withUnit(limit) : '';
      return (
        <span
          class="badge plain-badge"
          data-tone={cleared === true ? 'good' : level === 'alarm' ? 'alarm' : 'warn'}
        >
          {cleared === true
            ? texts.cleared(name, reading)
            : direction === 'below'
              ? texts.below(name, reading, bound)
              : texts.above(name, reading, bound)}
        </span>
      );
    }
    case 'command':
      return (
        <span>
          <b>{textOf(event.message)}</b> {isObject(event.fields) ? fieldsText(event.fields) : ''}{' '}
          <span
            class="badge plain-badge"
            data-tone={event.ok === false || event.code !== undefined ? 'alarm' : 'good'}
          >
            {event.ok === false || event.code !== undefined ? textOf(event.code) || texts.failed : texts.done}
          </span>
        </span>
      );
    default:
      return <span>{textOf(event.event) || valueText(event)}</span>;
  }
}

const fieldsText = (fields: JsonObject): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(' ');
