import type { ReadonlySignal } from '@preact/signals';
import { beatOf, type Device } from '../api/devices.ts';
import { fieldsOf, fieldText, leadingField, namedApart } from '../api/fields.ts';
import { isNumber, objectOf, textOf } from '../api/json.ts';
import { t } from '../app/language.ts';
import { href } from '../app/location.ts';
import { devicePath } from '../app/routes.ts';
import { AgeFor, Countdown, Pulse } from '../parts/age.tsx';
import type { Courses } from '../parts/course.ts';
import { useViewWidth } from '../parts/media.ts';
import { Spark } from '../parts/spark.tsx';
import { LinkSign, StatusBadge } from '../parts/status.tsx';
import { useLines } from '../parts/virtual.ts';
import { past } from '../past/follow-past.ts';
import type { Line } from './arrange.ts';
import { wanted } from './query.ts';
import { MANY, nameText, Quality, Why } from './rows.tsx';

const TILE_HEIGHT = 146;
const TILE_WIDTH = 250;

interface Props {
  readonly lines: ReadonlySignal<{ readonly lines: readonly Line<Device>[] }>;
  readonly courses: Courses;
}

/** A tile a device, for a screen on the wall; only those in sight are drawn. */
export function Tiles({ lines, courses }: Props) {
  const found = lines.value.lines.flatMap((line) => (line.kind === 'device' ? [line.device] : []));
  const across = Math.max(1, Math.floor((useViewWidth() - 24) / TILE_WIDTH));
  const rows = Math.ceil(found.length / across);
  const { ref, window } = useLines<HTMLUListElement>(TILE_HEIGHT, rows);
  return (
    <ul
      ref={ref}
      class="tiles"
      aria-label={t().app.overview}
      data-many={found.length > MANY || undefined}
      style={{
        height: `${rows * TILE_HEIGHT}px`,
        paddingTop: `${window.first * TILE_HEIGHT}px`,
        gridTemplateColumns: `repeat(${across}, minmax(0, 1fr))`,
      }}
    >
      {found.slice(window.first * across, window.end * across).map((device) => (
        <Tile key={device.id} device={device} courses={courses} />
      ))}
    </ul>
  );
}

function Tile({ device, courses }: { readonly device: Device; readonly courses: Courses }) {
  void device.changed.value;
  const { id, state, stats, status } = device;
  past.value?.want(id, 1);
  const link = objectOf(state.link);
  const path = leadingField(device, wanted.value.value)?.path;
  const field =
    path === undefined ? undefined : namedApart(device, fieldsOf(device)).find((each) => each.path === path);
  return (
    <li class="card tile" data-device={id} data-status={status}>
      <a href={href(devicePath(id))} title={nameText(device)}>
        <bdi>{nameText(device)}</bdi>
      </a>
      <p>
        <StatusBadge status={status} /> <AgeFor since={isNumber(state.since) ? state.since : undefined} />
        <Pulse at={beatOf(stats).at} />
      </p>
      <p class="why">
        <LinkSign status={textOf(link.status) || 'unknown'} />{' '}
        <Countdown at={isNumber(link.retry_at) ? link.retry_at : undefined} /> <Why device={device} />
      </p>
      {field !== undefined && (
        <p class="figure value" data-quality={field.quality}>
          <b>{fieldText(field)}</b>{' '}
          <span class="name">{field.unit === '' ? field.label : `${field.unit} · ${field.label}`}</span>
          <Quality quality={field.quality} />
        </p>
      )}
      {field !== undefined && isNumber(field.value) && past.value === undefined && (
        <Spark
          course={courses.of(`${id} ${field.path}`)}
          label={t().overview.courseOf(field.label)}
          device={id}
          path={field.path}
        />
      )}
    </li>
  );
}
