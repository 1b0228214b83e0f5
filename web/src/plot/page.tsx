import { useSignal } from '@preact/signals';
import { devices } from '../api/devices.ts';
import { fieldsOf, nameOfField } from '../api/fields.ts';
import { isNumber } from '../api/json.ts';
import { t } from '../app/language.ts';
import { plotSpan, queryOf, setQuery } from '../app/location.ts';
import { Plot, type Shown } from './plot.tsx';

const MOST_LINES = 12;
const MOST_DEVICES = 500;

/** Fields of several devices in one picture; what is in it stands in the address. */
export function Page() {
  const shown = readShown(queryOf('lines'));
  const write = (next: readonly Shown[]): void =>
    setQuery({ lines: next.map(({ device, path }) => `${device}:${path}`).join(',') });
  return (
    <>
      <h2>{t().app.plots}</h2>
      <Chooser shown={shown} add={(one) => write([...shown, one].slice(-MOST_LINES))} />
      {shown.length === 0 ? (
        <p class="card note quiet">{t().plot.nothing}</p>
      ) : (
        <Plot
          shown={shown}
          spanMs={plotSpan()}
          onSpan={(span) => setQuery({ span: Math.round(span / 1000) })}
          onRemove={(one) =>
            write(shown.filter((each) => each.device !== one.device || each.path !== one.path))
          }
        />
      )}
    </>
  );
}

/** `psu-1:telemetry.volts,psu-2:telemetry.volts` */
export function readShown(text: string): readonly Shown[] {
  return text
    .split(',')
    .flatMap((each) => {
      const cut = each.indexOf(':');
      return cut <= 0 || cut === each.length - 1
        ? []
        : [{ device: each.slice(0, cut), path: each.slice(cut + 1) }];
    })
    .slice(0, MOST_LINES);
}

function Chooser({ shown, add }: { readonly shown: readonly Shown[]; readonly add: (one: Shown) => void }) {
  const chosen = useSignal('');
  void devices.listed.value;
  const withValues = [...devices.all.values()]
    .filter(({ state }) => state.values !== undefined)
    .slice(0, MOST_DEVICES);
  const device = devices.get(chosen.value) ?? withValues[0];
  if (device === undefined) return <p class="quiet">{t().plot.noValues}</p>;
  void device.changed.value;
  const fields = fieldsOf(device).filter(({ value }) => isNumber(value));
  return (
    <form
      class="plot-tools"
      onSubmit={(event) => {
        event.preventDefault();
        const path = new FormData(event.currentTarget).get('field');
        const known = shown.some((each) => each.device === device.id && each.path === path);
        if (typeof path === 'string' && !known) add({ device: device.id, path });
      }}
    >
      <label>
        {t().plot.device}{' '}
        <select
          value={device.id}
          onChange={(event) => {
            chosen.value = event.currentTarget.value;
          }}
        >
          {withValues.map(({ id, label }) => (
            <option key={id} value={id}>
              {label === '' ? id : `${label} (${id})`}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t().plot.field}{' '}
        <select name="field">
          {fields.map(({ path, unit }) => (
            <option key={path} value={path}>
              {nameOfField(device.declaration, path)} {unit === '' ? '' : `(${unit})`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={fields.length === 0 || shown.length >= MOST_LINES}>
        {t().plot.add}
      </button>
    </form>
  );
}
