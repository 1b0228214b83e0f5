import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { beatOf, type Device, declarations, devices } from '../api/devices.ts';
import { feed, followFully, mayCommand } from '../api/feed.ts';
import { describedAt, type Field, fieldsOf, fieldText, unitBehind } from '../api/fields.ts';
import { isNumber, type JsonObject, objectOf, textOf } from '../api/json.ts';
import { flatten, valueText, words } from '../api/values.ts';
import { durationText, momentText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href, plotSpan, queryOf, setQuery } from '../app/location.ts';
import type { PageProps } from '../app/pages.ts';
import { Name, Quality, Why } from '../overview/rows.tsx';
import { AgeFor, Ago, Countdown, Pulse } from '../parts/age.tsx';
import { Courses } from '../parts/course.ts';
import { csvRow, fileName } from '../parts/csv.ts';
import { Icon } from '../parts/icon.tsx';
import { saveText } from '../parts/save.ts';
import { Spark } from '../parts/spark.tsx';
import { because, LinkSign, StatusBadge } from '../parts/status.tsx';
import { past } from '../past/follow-past.ts';
import { Plot } from '../plot/plot.tsx';
import { CommandForm } from './command-form.tsx';
import { commandsOf } from './commands.ts';
import { CourseOfStatus } from './course-of-status.tsx';
import './device.css';

const MOST_LINES = 12;
/** Fields that are asked for at a moment of the past. */
const MOST_PAST_FIELDS = 100;

/** Everything about one device. */
export function Page({ parameters: { id = '' } }: PageProps) {
  void devices.listed.value;
  const device = devices.get(id);
  if (device === undefined) return <Missing id={id} />;
  return <Known device={device} />;
}

function Missing({ id }: { readonly id: string }) {
  const texts = t().device;
  if (feed.phase.value !== 'live') return <p class="card note">{t().app.loading}</p>;
  return (
    <section class="card note">
      <h2>{texts.missing(id)}</h2>
      <p>{texts.missingText}</p>
      <p>
        <a href={href('/')}>{t().app.toOverview}</a>
      </p>
    </section>
  );
}

function Known({ device }: { readonly device: Device }) {
  void device.changed.value;
  past.value?.want(device.id, MOST_PAST_FIELDS);
  useEffect(() => followFully(device.id), [device.id]);
  const courses = useCourses(device);
  const fields = fieldsOf(device);
  const numbers = fields.filter(({ value }) => isNumber(value));
  const named = queryOf('plot');
  const plotted = (named === '' ? numbers.slice(0, 1).map(({ path }) => path) : named.split(',')).filter(
    (path) => path !== '-' && path !== '',
  );
  const toggle = (path: string): void => {
    const next = plotted.includes(path) ? plotted.filter((each) => each !== path) : [...plotted, path];
    setQuery({ plot: next.slice(-MOST_LINES).join(',') || '-' });
  };
  return (
    <article class="device-page" data-device={device.id} data-status={device.status}>
      <Head device={device} />
      {fields.length > 0 && (
        <section class="card part" aria-label={t().device.values}>
          <h3>
            {t().device.values}{' '}
            <button type="button" onClick={() => saveValues(device, fields)}>
              <Icon name="save" /> CSV
            </button>
          </h3>
          <ValueTable device={device} fields={fields} courses={courses} plotted={plotted} toggle={toggle} />
        </section>
      )}
      {plotted.length > 0 && (
        <Plot
          shown={plotted.map((path) => ({ device: device.id, path }))}
          spanMs={plotSpan()}
          onSpan={(span) => setQuery({ span: Math.round(span / 1000) })}
          onRemove={({ path }) => toggle(path)}
        />
      )}
      <Commands device={device} />
      <CourseOfStatus device={device} />
      <Facts device={device} />
      <Everything device={device} />
    </article>
  );
}

function useCourses(device: Device): Courses {
  const courses = useMemo(() => new Courses(), [device]);
  useEffect(() => {
    const watch = (changed: Device): void => {
      if (changed !== device) return;
      const now = clock.now();
      const live = device.status !== 'offline';
      for (const [path, value] of flatten(objectOf(device.state.values)))
        if (isNumber(value)) courses.of(path).add(now, live ? value : Number.NaN);
    };
    watch(device);
    devices.watchers.add(watch);
    return () => void devices.watchers.delete(watch);
  }, [device, courses]);
  return courses;
}

function Head({ device }: { readonly device: Device }) {
  void device.changed.value;
  const { state, stats, status, id } = device;
  const link = objectOf(state.link);
  const { at, isBeat } = beatOf(stats);
  const texts = t().device;
  return (
    <header class="device-head">
      <h2>
        <bdi>
          <Name device={device} />
        </bdi>
      </h2>
      <p class="status">
        <StatusBadge status={status} /> <AgeFor since={isNumber(state.since) ? state.since : undefined} />{' '}
        <Why device={device} />
      </p>
      <p class="link">
        <LinkSign status={textOf(link.status) || 'unknown'} />{' '}
        <AgeFor since={isNumber(link.since) ? link.since : undefined} />{' '}
        <Countdown at={isNumber(link.retry_at) ? link.retry_at : undefined} />{' '}
        <span dir="auto">
          {[
            isNumber(link.attempt) && link.attempt > 0 ? t().overview.attempt(link.attempt) : '',
            because(link),
            [link.transport, link.bus, link.address].filter((part) => typeof part === 'string').join(' '),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </p>
      <p class="beat">
        <Pulse at={at} /> <Ago at={at} />{' '}
        <span class="quiet">{isBeat || at === undefined ? '' : t().overview.lastFrame}</span>
        {isNumber(stats.round_trip_ms) && (
          <span class="quiet"> {t().overview.roundTrip(durationText(stats.round_trip_ms))}</span>
        )}
        {state.replay === true && <b class="replayed"> {texts.replayed}</b>}
      </p>
      <p class="tools">
        <a class="button" href={href('/inspect', { device: id })}>
          {texts.frames}
        </a>{' '}
        <a class="button" href={href('/')}>
          {t().app.toOverview}
        </a>
      </p>
    </header>
  );
}

interface ValueTableProps {
  readonly device: Device;
  readonly fields: readonly Field[];
  readonly courses: Courses;
  readonly plotted: readonly string[];
  readonly toggle: (path: string) => void;
}

function ValueTable({ device, fields, courses, plotted, toggle }: ValueTableProps) {
  const headings = [...new Set(fields.map(({ heading }) => heading))];
  return (
    <div class="groups">
      {headings.map((heading) => (
        <table key={heading} class="values">
          <caption>{heading}</caption>
          <tbody>
            {fields
              .filter((field) => field.heading === heading)
              .map((field) => (
                <tr key={field.path} class="value" data-quality={field.quality} data-path={field.path}>
                  <th scope="row" title={field.path}>
                    {field.label}
                  </th>
                  <td class="number">
                    <b dir="auto">{fieldText(field)}</b> <span class="unit">{field.unit}</span>
                    <Quality quality={field.quality} />
                  </td>
                  <td class="course">
                    {isNumber(field.value) && (
                      <button
                        type="button"
                        class="plain"
                        aria-pressed={plotted.includes(field.path)}
                        aria-label={t().device.plot(field.label)}
                        title={t().device.plot(field.label)}
                        onClick={() => toggle(field.path)}
                      >
                        {past.value === undefined && (
                          <Spark
                            course={courses.of(field.path)}
                            label={t().overview.courseOf(field.label)}
                            device={device.id}
                            path={field.path}
                          />
                        )}
                        <Icon name="plot" />
                      </button>
                    )}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      ))}
      {device.state.$jwe !== undefined && <p>{t().overview.encrypted}</p>}
    </div>
  );
}

function saveValues(device: Device, fields: readonly Field[]): void {
  const at = clock.now();
  const rows = fields.map(({ path, value, unit, quality }) => {
    const cell = typeof value === 'number' || typeof value === 'boolean' ? value : valueText(value);
    return csvRow([new Date(at).toISOString(), device.id, path, cell, unit, quality ?? '']);
  });
  const head = csvRow(['time', 'device', 'field', 'value', 'unit', 'quality']);
  saveText(fileName(device.id, at, 'csv'), `${[head, ...rows].join('\r\n')}\r\n`, 'text/csv');
}

/** What the device may be sent; nothing where the token does not let this page do so. */
function Commands({ device }: { readonly device: Device }) {
  void device.changed.value;
  const commands = commandsOf(declarations.of(device.declaration));
  const filter = useSignal('');
  const texts = t().command;
  if (commands.length === 0) return null;
  if (!mayCommand.value) {
    return (
      <section class="card part quiet" aria-label={texts.title}>
        <Icon name="lock" /> {texts.readOnly}
      </section>
    );
  }
  const own = commands.filter(({ either }) => !either);
  const wanted = filter.value.toLowerCase();
  const shown = (own.length > 0 ? own : commands).filter(({ name, label }) =>
    `${name} ${label}`.toLowerCase().includes(wanted),
  );
  const sets = shown.filter(({ fields, reply }) => fields.length > 0 || reply !== 'fields');
  const asks = shown.filter(({ fields, reply }) => fields.length === 0 && reply === 'fields');
  return (
    <section class="card part" aria-label={texts.title}>
      <h3>
        {texts.title}{' '}
        {commands.length > 8 && (
          <input
            type="search"
            aria-label={texts.search}
            placeholder={texts.search}
            onInput={(event) => {
              filter.value = event.currentTarget.value;
            }}
          />
        )}
      </h3>
      <div class="commands">
        {sets.map((command) => (
          <CommandForm key={command.name} device={device} command={command} />
        ))}
      </div>
      {asks.length > 0 && (
        <details>
          <summary>{texts.asks(asks.length)}</summary>
          <div class="commands">
            {asks.map((command) => (
              <CommandForm key={command.name} device={device} command={command} />
            ))}
          </div>
        </details>
      )}
    </section>
  );
}

/** Its clock, who it is, and what was counted. */
function Facts({ device }: { readonly device: Device }) {
  void device.changed.value;
  const { state, stats } = device;
  const texts = t().device;
  const clockState = objectOf(state.clock);
  const theirs = objectOf(state.identity);
  const own = objectOf(state.registered_as);
  const offset = clockState.offset_ms;
  return (
    <section class="card part facts" aria-label={texts.facts}>
      <div class="clock">
        <h3>{texts.clock}</h3>
        {isNumber(offset) ? (
          <p>
            <b class="number">{`${offset < 0 ? '−' : '+'}${durationText(Math.abs(offset))}`}</b>{' '}
            {isNumber(clockState.bound_ms) && `± ${durationText(clockState.bound_ms)}`}{' '}
            <span class="quiet">{isNumber(clockState.samples) && texts.samples(clockState.samples)}</span>
          </p>
        ) : (
          <p>–</p>
        )}
      </div>
      <div class="identity">
        <h3>{texts.identity}</h3>
        <Pairs of={Object.keys(theirs).length > 0 ? theirs : own} />
        {Object.keys(theirs).length === 0 && Object.keys(own).length > 0 && (
          <p class="quiet">{texts.ownIdentity}</p>
        )}
      </div>
      <div class="counts">
        <h3>{texts.counts}</h3>
        <Pairs of={stats} />
      </div>
    </section>
  );
}

function Pairs({ of }: { readonly of: JsonObject }) {
  return (
    <dl>
      {[...flatten(of)].map(([path, value]) => (
        <div key={path}>
          <dt>{words(path)}</dt>
          <dd dir="auto">{/_at$/.test(path) && isNumber(value) ? momentText(value) : valueText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Every leaf of the document, as the feed has it. */
function Everything({ device }: { readonly device: Device }) {
  void device.changed.value;
  const open = useSignal(false);
  return (
    <details
      class="card part"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>{t().device.everything}</summary>
      {open.value && (
        <dl class="detail">
          {[...flatten(device.state)].map(([path, value]) => (
            <div key={path}>
              <dt>{path}</dt>
              <dd dir="auto">{leafText(device, path, value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </details>
  );
}

function leafText({ declaration }: Device, path: string, value: unknown): string {
  if (/(^|[._])(since|at)$/.test(path) && isNumber(value) && value > 1e12) return momentText(value);
  const field = path.startsWith('values.') ? path.slice('values.'.length) : undefined;
  const unit = field === undefined ? '' : unitBehind(describedAt(declaration, field).unit, value);
  return unit === '' ? valueText(value) : `${valueText(value)} ${unit}`;
}
