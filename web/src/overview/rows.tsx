import type { ReadonlySignal } from '@preact/signals';
import { beatOf, type Device } from '../api/devices.ts';
import { alarmingOf, type Field, fieldsOf, fieldText, leadingField, namedApart } from '../api/fields.ts';
import { isNumber, objectOf, textOf } from '../api/json.ts';
import { durationText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href, setQuery } from '../app/location.ts';
import { devicePath } from '../app/routes.ts';
import { AgeFor, Ago, Countdown, Pulse } from '../parts/age.tsx';
import type { Courses } from '../parts/course.ts';
import { Icon } from '../parts/icon.tsx';
import { usePhone } from '../parts/media.ts';
import { Spark } from '../parts/spark.tsx';
import { because, LinkSign, qualityWord, StatusBadge } from '../parts/status.tsx';
import { useLines } from '../parts/virtual.ts';
import { past } from '../past/follow-past.ts';
import type { Line, Order } from './arrange.ts';
import { wanted } from './query.ts';

const ROW_HEIGHT = 29;
const PHONE_ROW_HEIGHT = 68;
/** Beats of more devices are lit, and not animated. */
export const MANY = 30;
/** Values in one row, beside the one that is drawn. */
const SHOWN_VALUES = 5;

interface Props {
  readonly lines: ReadonlySignal<{ readonly lines: readonly Line<Device>[] }>;
  readonly courses: Courses;
}

/** One line a device; only those in sight are drawn. */
export function Rows({ lines, courses }: Props) {
  const all = lines.value.lines;
  const height = usePhone() ? PHONE_ROW_HEIGHT : ROW_HEIGHT;
  const { ref, window } = useLines<HTMLTableSectionElement>(height, all.length);
  const texts = t().overview.columns;
  return (
    <table
      class="card devices"
      aria-label={t().app.overview}
      aria-rowcount={all.length + 1}
      data-many={all.length > MANY || undefined}
    >
      <thead>
        <tr class="line head" aria-rowindex={1}>
          <Column order="name" label={texts.device} />
          <Column
            order="trouble"
            label={texts.status}
            note={<span class="known">{t().overview.lastKnown}</span>}
          />
          <th scope="col">{texts.why}</th>
          <th scope="col">{texts.link}</th>
          <th scope="col">{texts.heartbeat}</th>
          <th scope="col">{texts.values}</th>
          <Column order="value" label={texts.course} />
        </tr>
      </thead>
      <tbody
        ref={ref}
        style={{ height: `${all.length * height}px`, paddingTop: `${window.first * height}px` }}
      >
        {all
          .slice(window.first, window.end)
          .map((line, index) =>
            line.kind === 'group' ? (
              <GroupRow key={`group ${line.group}`} line={line} />
            ) : (
              <Row
                key={line.device.id}
                device={line.device}
                courses={courses}
                index={window.first + index + 2}
              />
            ),
          )}
      </tbody>
    </table>
  );
}

interface ColumnProps {
  readonly order: Order;
  readonly label: string;
  readonly note?: preact.ComponentChildren;
}

/** A heading that puts the list in its order; once more turns it round. */
function Column({ order, label, note }: ColumnProps) {
  const { order: now, reverse } = wanted.value;
  const here = now === order;
  return (
    <th scope="col" aria-sort={here ? (reverse ? 'descending' : 'ascending') : undefined}>
      <button type="button" class="sort" onClick={() => setQuery({ sort: order, down: here && !reverse })}>
        {label}
        {here && <span aria-hidden="true">{reverse ? ' ↓' : ' ↑'}</span>}
      </button>
      {note}
    </th>
  );
}

function GroupRow({ line }: { readonly line: Extract<Line<Device>, { kind: 'group' }> }) {
  const { group, devices, folded } = line;
  const online = devices.filter(({ status }) => status === 'online').length;
  const toggle = (): void => {
    const next = new Set(wanted.peek().folded);
    if (folded) next.delete(group);
    else next.add(group);
    setQuery({ fold: [...next].join('\n') || undefined });
  };
  return (
    <tr class="line group">
      <th scope="rowgroup" colSpan={7}>
        <button type="button" class="fold" aria-expanded={!folded} onClick={toggle}>
          <Icon name="more" />
          {group === '' ? t().overview.noGroup : group}
        </button>{' '}
        <span class="quiet">{t().feed.online(online, devices.length)}</span>
      </th>
    </tr>
  );
}

function Row({
  device,
  courses,
  index,
}: {
  readonly device: Device;
  readonly courses: Courses;
  readonly index: number;
}) {
  void device.changed.value;
  const { id, state, stats, status } = device;
  past.value?.want(id, SHOWN_VALUES + 1);
  const link = objectOf(state.link);
  const { at, isBeat } = beatOf(stats);
  const roundTrip = isNumber(stats.round_trip_ms)
    ? t().overview.roundTrip(durationText(stats.round_trip_ms))
    : '';
  const fields = namedApart(device, fieldsOf(device));
  const path = leadingField(device, wanted.value.value)?.path;
  const leading = path === undefined ? undefined : fields.find((field) => field.path === path);
  return (
    <tr class="line" data-device={id} data-status={status} aria-rowindex={index}>
      <th scope="row" class="device">
        <a href={href(devicePath(id))} title={nameText(device)}>
          <bdi>
            <Name device={device} />
          </bdi>
        </a>
      </th>
      <td class="status">
        <StatusBadge status={status} /> <AgeFor since={isNumber(state.since) ? state.since : undefined} />
      </td>
      <td class="why">
        <Countdown at={isNumber(link.retry_at) ? link.retry_at : undefined} /> <Why device={device} />
      </td>
      <td class="link">
        <LinkSign status={textOf(link.status) || 'unknown'} />{' '}
        <span class="detail" dir="auto" title={linkDetail(link)}>
          {linkDetail(link)}
        </span>
      </td>
      <td class="beat" title={isBeat ? roundTrip : t().overview.lastFrame}>
        <Pulse at={at} /> <Ago at={at} />
        <span class="quiet trip"> {isBeat ? roundTrip : ''}</span>
      </td>
      <td class="values">
        <Values fields={fields} leading={leading} />
      </td>
      <td class="course">{leading !== undefined && <Leading field={leading} id={id} courses={courses} />}</td>
    </tr>
  );
}

/** What people call a device; its group, and its id where it has a name, stand behind. */
export function nameText(device: Named): string {
  return [device.name, ...behindName(device)].join(' · ');
}

type Named = Pick<Device, 'id' | 'label' | 'group' | 'name'>;

function behindName({ id, label, group }: Named): readonly string[] {
  return [wanted.value.grouped ? '' : group, label === '' ? '' : id].filter(Boolean);
}

/** The same with what matters less in a quieter voice: each part is there whole or, where room is short, not at all. */
export function Name({ device }: { readonly device: Device }) {
  void device.changed.value;
  return (
    <>
      <span class="called">{device.name}</span>
      {behindName(device).map((part) => (
        <span key={part} class="quiet behind">
          {` ${part}`}
        </span>
      ))}
    </>
  );
}

/** Why it is so, or which values are outside of their limits. */
export function Why({ device }: { readonly device: Device }) {
  void device.changed.value;
  const { state } = device;
  const link = objectOf(state.link);
  const own = because(state) || (link.status === 'connected' ? '' : because(link));
  const text = typeof state.$jwe === 'string' ? t().overview.encrypted : own;
  const { alarms, warnings } = alarmingOf(device);
  const parts = [
    alarms !== '' && `◆ ${qualityWord('alarm')}: ${alarms}`,
    warnings !== '' && `▲ ${qualityWord('warn')}: ${warnings}`,
  ].filter(Boolean);
  const shown = [text, ...parts].filter(Boolean).join(' · ');
  return (
    <span class="reason" dir="auto" title={shown} data-quality={text === '' ? device.level : undefined}>
      {shown}
    </span>
  );
}

function linkDetail(link: Readonly<Record<string, unknown>>): string {
  const attempt = isNumber(link.attempt) && link.attempt > 0 ? t().overview.attempt(link.attempt) : '';
  const address = [link.transport, link.bus, link.address]
    .filter((part) => typeof part === 'string')
    .join(' ');
  return [attempt, because(link), address].filter(Boolean).join(' · ');
}

/** Some values in one line; what is outside of its limits is always among them. */
function Values({
  fields,
  leading,
}: {
  readonly fields: readonly Field[];
  readonly leading: Field | undefined;
}) {
  const others = fields.filter(({ path }) => path !== leading?.path);
  const shown = chosen(others, SHOWN_VALUES);
  return (
    <>
      {shown.map((field) => (
        <span
          class="value"
          key={field.path}
          data-quality={field.quality}
          title={`${field.path}: ${fieldText(field)} ${field.unit}`}
        >
          <span class="name">{field.label}</span> <b>{withUnit(field)}</b>
          <Quality quality={field.quality} />
        </span>
      ))}
      {others.length > shown.length && (
        <span class="quiet">{t().overview.more(others.length - shown.length)}</span>
      )}
    </>
  );
}

/** As many as are shown, in their order; what is outside of its limits is always among them. */
export function chosen(fields: readonly Field[], most: number): readonly Field[] {
  if (fields.length <= most) return fields;
  const urgency = ({ quality = '' }: Field): number => ['alarm', 'warn'].indexOf(quality) + 1 || 3;
  const first = new Set([...fields].sort((a, b) => urgency(a) - urgency(b)).slice(0, most));
  return fields.filter((field) => first.has(field));
}

export const withUnit = (field: Field): string =>
  `${fieldText(field)}${field.unit === '' ? '' : ` ${field.unit}`}`;

export function Quality({ quality }: { readonly quality: string | undefined }) {
  if (quality === undefined) return null;
  return (
    <b class="quality" title={qualityWord(quality)}>
      {' '}
      {quality === 'alarm' ? '◆' : '▲'} <span class="word">{qualityWord(quality)}</span>
    </b>
  );
}

export function Leading({
  field,
  id,
  courses,
}: {
  readonly field: Field;
  readonly id: string;
  readonly courses: Courses;
}) {
  return (
    <>
      <span
        class="value"
        data-quality={field.quality}
        title={`${field.path}: ${fieldText(field)} ${field.unit}`}
      >
        <span class="name">{field.label}</span> <b>{withUnit(field)}</b>
        <Quality quality={field.quality} />
      </span>
      {isNumber(field.value) && past.value === undefined && (
        <Spark
          course={courses.of(`${id} ${field.path}`)}
          label={t().overview.courseOf(field.label)}
          device={id}
          path={field.path}
        />
      )}
    </>
  );
}
