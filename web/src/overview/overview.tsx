import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { type Device, devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { leadingField, leadingPath } from '../api/fields.ts';
import { isNumber, isObject, listOf, textOf } from '../api/json.ts';
import { valueAt } from '../api/values.ts';
import { listenerText } from '../app/banner.tsx';
import { countText, timeText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href, setQuery } from '../app/location.ts';
import { Courses } from '../parts/course.ts';
import { Icon } from '../parts/icon.tsx';
import { statusWord } from '../parts/status.tsx';
import { arrange, type Line } from './arrange.ts';
import { wanted } from './query.ts';
import { Rows } from './rows.tsx';
import { Tiles } from './tiles.tsx';
import { Toolbar } from './toolbar.tsx';
import './overview.css';

/** The course of the value that each device is shown with; one at a time, of all devices, so that scrolling shows it. */
const courses = new Courses();

/** Every device at a glance: what needs a look comes first. */
export function Overview() {
  const value = wanted.value.value;
  useEffect(() => {
    courses.clear();
    const watch = (device: Device): void => follow(device, value);
    for (const device of devices.all.values()) watch(device);
    devices.watchers.add(watch);
    return () => void devices.watchers.delete(watch);
  }, [value]);
  const lines = useLinesInOrder();
  const { tiles } = wanted.value;
  const empty = lines.value.lines.length === 0;
  return (
    <>
      <h2 class="visually-hidden">{t().app.overview}</h2>
      <Toolbar />
      {empty ? (
        <Emptiness />
      ) : tiles ? (
        <Tiles lines={lines} courses={courses} />
      ) : (
        <Rows lines={lines} courses={courses} />
      )}
      <Unnamed />
      <footer>
        {t().overview.follows}{' '}
        <code>{`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`}</code>.{' '}
        {!feed.asksTokens.value && (
          <span>
            {t().overview.asJson} <a href="./api/devices">/api/devices</a>.
          </span>
        )}
      </footer>
    </>
  );
}

function follow(device: Device, chosen: string): void {
  const path = chosen === '' ? leadingPath(device) : chosen;
  if (path === undefined) return;
  const value = valueAt(device.state.values, path);
  const live = device.status !== 'offline' && isNumber(value);
  courses.of(`${device.id} ${path}`).add(clock.now(), live ? value : Number.NaN);
}

/** The list as the address wants it; made again when devices come, go or change their places, at most once a frame. */
function useLinesInOrder() {
  const arranged = useSignal<{ readonly lines: readonly Line<Device>[]; readonly found: number }>({
    lines: [],
    found: 0,
  });
  useSignalEffect(() => {
    const now = wanted.value;
    void devices.listed.value;
    if (now.search !== '') void devices.contents.value;
    // Numbers move all the time: they are put in order once a second.
    if (now.order === 'value' || now.order === 'since') void clock.tick.value;
    arranged.value = arrange(devices.all.values(), now, (device) => {
      if (now.order === 'since') return isNumber(device.state.since) ? -device.state.since : undefined;
      const value = leadingField(device, now.value)?.value;
      return isNumber(value) ? value : undefined;
    });
  });
  return useComputed(() => arranged.value);
}

/** What to do where nothing is shown, and why. */
function Emptiness() {
  void devices.listed.value;
  const texts = t().overview;
  const synced = feed.phase.value === 'live' || devices.all.size > 0;
  if (!synced) return null;
  if (devices.all.size === 0 && feed.limited.value) {
    return (
      <section class="card note" id="not-covered">
        <h3>{texts.notCovered}</h3>
        <p>
          {texts.notCoveredText} <code>devices/#</code> {texts.or} <code>devices/ID/#</code>.
        </p>
      </section>
    );
  }
  if (devices.all.size === 0) return <NoDevices />;
  const { search, status, group } = wanted.value;
  const what = [
    status !== '' && texts.is(statusWord(status)),
    group !== '' && texts.inGroup(group),
    search.trim() !== '' && texts.shows(search.trim()),
  ].filter(Boolean);
  return (
    <section class="card note" id="no-match">
      <h3>{texts.noMatch}</h3>
      <p id="no-match-text">{texts.noMatchText(countText(devices.all.size), what.join(texts.and))}</p>
      <button type="button" onClick={() => setQuery({ q: undefined, status: undefined, group: undefined })}>
        {texts.showAll}
      </button>
    </section>
  );
}

function NoDevices() {
  const texts = t().overview;
  const listeners = listOf(devices.bridge.value.listeners).map(listenerText);
  const [address = '127.0.0.1:9089'] = listeners;
  const reachable =
    address.split(' ')[0]?.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]') ?? address;
  return (
    <section class="card note" id="empty">
      <h3>{texts.none}</h3>
      <p>
        {texts.waits} {listeners.length > 0 && texts.mayDialIn(listeners.join(', '))}
      </p>
      <ol>
        <li>
          {texts.simulate}
          <pre>
            <code>{`heartwire simulate --connect ${reachable} --count 3`}</code>
          </pre>
        </li>
        <li>
          {texts.name} <code>devices.yaml</code>:
          <pre>
            <code>{EXAMPLE}</code>
          </pre>
        </li>
        <li>
          {texts.check}
          <pre>
            <code>{'heartwire check devices.yaml\nheartwire run devices.yaml'}</code>
          </pre>
        </li>
      </ol>
      <p>
        <a href={href('/start')}>{texts.toStart}</a>
      </p>
    </section>
  );
}

const EXAMPLE = `devices:
  - id: supply
    link: tcp:10.0.0.7:5025        # or /dev/ttyUSB0, COM3
    messages: pack:scpi-supply     # or a file of your own`;

/** Links that speak the protocol and did not say who they are. */
function Unnamed() {
  const unnamed = listOf(devices.bridge.value.not_registered);
  if (unnamed.length === 0) return null;
  return (
    <section class="card note" id="unnamed">
      <h3>
        <Icon name="unnamed" /> {t().overview.unnamed}
      </h3>
      <p class="quiet">{t().overview.unnamedText}</p>
      <ul>
        {unnamed.map((link) => {
          const entry = isObject(link) ? link : {};
          const address = textOf(entry.address) || '?';
          return (
            <li key={address} class="mono">
              {address}{' '}
              {isNumber(entry.since) && <span class="quiet">{t().age.since(timeText(entry.since))}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
