import { useSignalEffect } from '@preact/signals';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { nameOfField } from '../api/fields.ts';
import { isNumber, isObject, type JsonObject, listOf, objectOf, textOf } from '../api/json.ts';
import { durationText, momentText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href, pastMoment, queryOf, setQuery } from '../app/location.ts';
import type { PageProps } from '../app/pages.ts';
import { devicePath } from '../app/routes.ts';
import { because, reasonWord } from '../parts/status.tsx';
import { useTopic, useTopics } from './topic.ts';
import './lists.css';

const TOPIC = 'bridge/incidents';
/** Where several instances share one feed, those of each. */
const OF_INSTANCES = 'bridge/+/incidents';

/** What went wrong, with the bytes before and after it. */
export function Page(_: PageProps) {
  const texts = t().incidents;
  const document = useTopic(TOPIC);
  const device = queryOf('device');
  const reason = queryOf('reason');
  const moment = pastMoment.value ?? Number.POSITIVE_INFINITY;
  const every = [document, ...useTopics(OF_INSTANCES)].map((each) => objectOf(each?.incidents));
  // This instance has its own ones twice.
  const byId = Object.assign({}, ...every) as JsonObject;
  const all = Object.values(byId)
    .filter(isObject)
    .filter(({ at }) => Number(at) <= moment)
    .sort((a, b) => Number(b.at) - Number(a.at));
  const shown = all.filter(
    (each) => (device === '' || each.device === device) && (reason === '' || each.reason === reason),
  );
  const ids = [...new Set(all.map((each) => textOf(each.device)))].sort();
  const reasons = [...new Set(all.map((each) => textOf(each.reason)))].sort();
  useSignalEffect(() => void feed.phase.value);
  return (
    <section class="listing">
      <header>
        <h2>{t().app.incidents}</h2>
        <select
          aria-label={t().frames.device}
          value={device}
          onChange={(event) => setQuery({ device: event.currentTarget.value })}
        >
          <option value="">{texts.everyDevice}</option>
          {ids.map((id) => (
            <option key={id} value={id}>
              {devices.get(id)?.name ?? id}
            </option>
          ))}
        </select>
        <select
          aria-label={texts.reason}
          value={reason}
          onChange={(event) => setQuery({ reason: event.currentTarget.value })}
        >
          <option value="">{texts.everyReason}</option>
          {reasons.map((each) => (
            <option key={each} value={each}>
              {incidentWord(each)}
            </option>
          ))}
        </select>
        {document !== undefined && <About document={document} />}
      </header>
      {document?.status === 'failed' && (
        <p class="card note trouble" role="alert">
          {because(document)}
        </p>
      )}
      {shown.length === 0 ? (
        <p class="card note quiet">
          {document === undefined && all.length === 0
            ? texts.none
            : all.length === 0
              ? texts.calm
              : texts.nothingFits}
        </p>
      ) : (
        <div class="card rows-box">
          <table class="rows stacked">
            <thead>
              <tr>
                <th scope="col">{texts.at}</th>
                <th scope="col">{texts.device}</th>
                <th scope="col">{texts.reason}</th>
                <th scope="col">{texts.detail}</th>
                <th scope="col">{texts.span}</th>
                <th scope="col">
                  <span class="visually-hidden">{texts.open}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((each) => (
                <Incident key={textOf(each.id)} incident={each} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function About({ document }: { readonly document: JsonObject }) {
  const texts = t().incidents;
  const { files, bytes, omitted } = document;
  return (
    <span class="quiet">
      {texts.kept(Number(files) || 0, ((Number(bytes) || 0) / 2 ** 20).toFixed(1))}
      {isNumber(omitted) && omitted > 0 ? ` · ${texts.omitted(omitted)}` : ''}
    </span>
  );
}

export function incidentWord(reason: string): string {
  const { reasons } = t().incidents;
  return Object.hasOwn(reasons, reason) ? reasons[reason as keyof typeof reasons] : reasonWord(reason);
}

/** What the bridge says of a field, by the name that the page has for it: `climate.temperature is above 30 °C`. */
function withLabel(device: string, incident: JsonObject): string {
  const detail = textOf(incident.detail);
  const said = (text: string): string =>
    t().said(textOf(incident.code), t().said(textOf(incident.reason), text));
  const [, path, rest] = /^([^\s.]+\.\S+)( is .*)$/s.exec(detail) ?? [];
  const declaration = devices.get(device)?.declaration;
  return said(path === undefined ? detail : `${nameOfField(declaration, path)}${rest}`);
}

const TONES: Readonly<{ [reason: string]: string }> = {
  offline: 'offline',
  alarm: 'alarm',
  defect: 'alarm',
  discards: 'warn',
  command_failed: 'warn',
};

function Incident({ incident }: { readonly incident: JsonObject }) {
  void devices.listed.value;
  const texts = t().incidents;
  const id = textOf(incident.id);
  const device = textOf(incident.device);
  const also = listOf(incident.also).filter(isObject);
  const others = listOf(incident.others);
  return (
    <tr>
      <td class="num">{isNumber(incident.at) ? momentText(incident.at) : ''}</td>
      <th scope="row">
        <a href={href(devicePath(device))}>{devices.get(device)?.name ?? device}</a>
      </th>
      <td>
        <span class="badge plain-badge" data-tone={TONES[textOf(incident.reason)] ?? 'unknown'}>
          {incidentWord(textOf(incident.reason))}
        </span>
      </td>
      <td class="wide">
        {withLabel(device, incident)}
        {also.length > 0 && (
          <span class="quiet also">
            {' '}
            {texts.also(
              Number(incident.also_count) || also.length,
              also.map((each) => incidentWord(textOf(each.reason))).join(', '),
            )}
          </span>
        )}
        {others.length > 0 && (
          <span class="quiet also"> {texts.others(Number(incident.others_count) || others.length)}</span>
        )}
      </td>
      <td class="num quiet">
        {isNumber(incident.from) && isNumber(incident.to) ? durationText(incident.to - incident.from) : ''}
      </td>
      <td class="act">
        <a class="button" href={href('/inspect', { incident: id })}>
          {texts.open}
        </a>
      </td>
    </tr>
  );
}
