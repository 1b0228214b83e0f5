import { useRef } from 'preact/hooks';
import { devices } from '../api/devices.ts';
import { nameOfPath } from '../api/fields.ts';
import { isNumber, isObject } from '../api/json.ts';
import { flatten } from '../api/values.ts';
import { countText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { setQuery } from '../app/location.ts';
import { Icon, isSign } from '../parts/icon.tsx';
import { statusWord } from '../parts/status.tsx';
import { ORDERS } from './arrange.ts';
import { wanted } from './query.ts';

const STATUSES = ['online', 'stale', 'offline', 'registering', 'away', 'unknown'];
/** Paths in the choice of a value. */
const MOST_PATHS = 400;

/** What of the devices is shown, and how. */
export function Toolbar() {
  const texts = t().overview;
  const { search, grouped, tiles, order, value } = wanted.value;
  const groups = groupNames();
  return (
    <div class="toolbar">
      <search>
        <input
          type="search"
          id="search"
          value={search}
          placeholder={texts.search}
          aria-label={texts.searchLabel}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
        />
      </search>
      <Counts />
      <span class="choices">
        {groups.length > 0 && (
          <button
            type="button"
            aria-pressed={grouped}
            onClick={() => setQuery({ groups: !grouped, fold: undefined })}
          >
            {texts.groups}
          </button>
        )}
        <label>
          <span class="quiet what">{texts.order}</span>{' '}
          <select
            id="order"
            title={texts.order}
            value={order}
            onChange={(event) => setQuery({ sort: event.currentTarget.value, down: undefined })}
          >
            {ORDERS.map((each) => (
              <option key={each} value={each}>
                {texts.orders[each]}
              </option>
            ))}
          </select>
        </label>
        <ValueChoice value={value} />
        <fieldset class="switch">
          <legend class="visually-hidden">{texts.view}</legend>
          <button
            type="button"
            aria-pressed={!tiles}
            aria-label={texts.rows}
            title={texts.rows}
            onClick={() => setQuery({ view: undefined })}
          >
            <Icon name="rows" />
          </button>
          <button
            type="button"
            aria-pressed={tiles}
            aria-label={texts.tiles}
            title={texts.tiles}
            onClick={() => setQuery({ view: 'tiles' })}
          >
            <Icon name="tiles" />
          </button>
        </fieldset>
      </span>
    </div>
  );
}

function groupNames(): readonly string[] {
  void devices.listed.value;
  return [...new Set([...devices.all.values()].map(({ group }) => group))]
    .filter((group) => group !== '')
    .sort();
}

/** How many devices have which status; each is a filter. */
function Counts() {
  void devices.listed.value;
  const chosen = wanted.value.status;
  const counts = new Map(STATUSES.map((status) => [status, 0]));
  for (const { status } of devices.all.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  const shown: ReadonlyArray<readonly [string, number]> = [['', devices.all.size], ...counts];
  return (
    <ul class="counts" id="counts" aria-label={t().overview.byStatus}>
      {shown.map(([status, count]) => {
        const sign = status === '' ? 'all' : isSign(status) ? status : 'unknown';
        const none = count === 0 && status !== chosen;
        return (
          <li key={status} class={none ? 'none' : undefined}>
            <button
              type="button"
              data-tone={sign}
              title={status === '' ? undefined : statusWord(status)}
              class={none ? 'zero' : undefined}
              aria-pressed={status === chosen}
              onClick={() => setQuery({ status: status === chosen ? undefined : status })}
            >
              <Icon name={sign} />
              <span class={none ? 'visually-hidden' : undefined}>
                {status === '' ? t().overview.all : capital(statusWord(status))}
              </span>
              <b>{countText(count)}</b>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Which value each device is shown with. The paths are looked for when the choice is opened. */
function ValueChoice({ value }: { readonly value: string }) {
  const paths = useRef<readonly string[]>([]);
  void devices.listed.value;
  paths.current = numericPaths();
  const shown = value === '' || paths.current.includes(value) ? paths.current : [value, ...paths.current];
  if (shown.length === 0) return null;
  return (
    <label>
      <span class="quiet what">{t().overview.value}</span>{' '}
      <select
        id="value"
        title={t().overview.value}
        value={value}
        onChange={(event) => setQuery({ value: event.currentTarget.value })}
      >
        <option value="">{t().overview.automatic}</option>
        {shown.map((path) => (
          <option key={path} value={path}>
            {nameOfPath(path)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The numbers that devices have, of one device for each declaration. */
function numericPaths(): readonly string[] {
  const seen = new Set<string>();
  const paths = new Set<string>();
  for (const { declaration = '', state } of devices.all.values()) {
    if (seen.has(declaration) || !isObject(state.values)) continue;
    seen.add(declaration);
    for (const [path, value] of flatten(state.values))
      if (isNumber(value) && paths.size < MOST_PATHS) paths.add(path);
  }
  return [...paths].sort();
}
