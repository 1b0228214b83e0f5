import { useSignal } from '@preact/signals';
import type { InspectedInput } from '../../../src/inspection/browser.ts';
import { devices } from '../api/devices.ts';
import { t } from '../app/language.ts';
import { setQuery } from '../app/location.ts';

/** What was dropped, with its bytes, so that it can be read again with other messages. */
export interface Dropped {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly port?: number | undefined;
  readonly dialled?: boolean | undefined;
}

/** The devices whose bytes can be followed. */
export function SourceChoice({ current }: { readonly current: string }) {
  const texts = t().frames;
  void devices.listed.value;
  const ids = [...devices.all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (ids.length === 0) return null;
  return (
    <select
      aria-label={texts.device}
      value={current}
      onChange={(event) => setQuery({ device: event.currentTarget.value, incident: undefined })}
    >
      <option value="">{texts.device}</option>
      {ids.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

interface PortsProps {
  readonly input: InspectedInput | undefined;
  readonly dropped: { value: Dropped | undefined };
}

/** Of a capture with TCP: which side is the device. */
export function Ports({ input, dropped }: PortsProps) {
  const texts = t().frames;
  const what = dropped.value;
  if (input === undefined || what === undefined || input.ports.length === 0) return null;
  return (
    <>
      <label>
        {texts.port}{' '}
        <select
          value={String(what.port ?? input.ports[0])}
          onChange={(event) => {
            dropped.value = { ...what, port: Number(event.currentTarget.value) };
          }}
        >
          {input.ports.map((port) => (
            <option key={port} value={port}>
              {port}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={what.dialled === true}
          onChange={(event) => {
            dropped.value = { ...what, dialled: event.currentTarget.checked };
          }}
        />{' '}
        {texts.dialled}
      </label>
    </>
  );
}

/** Where nothing is chosen: what can be dropped, and a field for hex text. */
export function Empty({ paste }: { readonly paste: (text: string) => Promise<void> }) {
  const texts = t().frames;
  const text = useSignal('');
  return (
    <section class="card drop">
      <h2>{texts.title}</h2>
      <p>{texts.drop}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void paste(text.value);
        }}
      >
        <textarea
          class="mono"
          rows={5}
          aria-label={texts.hexText}
          placeholder={'> 01 04 00 00 00 02 71 cb\n< 01 04 04 43 66 33 34 1b 38'}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="primary">
          {texts.read}
        </button>
      </form>
      <p class="quiet">{texts.stays}</p>
    </section>
  );
}
