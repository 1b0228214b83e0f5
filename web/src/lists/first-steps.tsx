import { useSignal, useSignalEffect } from '@preact/signals';
import type { ProtocolMatch } from '../../../src/inspection/browser.ts';
import { devices } from '../api/devices.ts';
import { getJson } from '../api/http.ts';
import { isNumber, isObject, type JsonObject, listOf, textOf } from '../api/json.ts';
import { spanText } from '../app/format.ts';
import { t } from '../app/language.ts';
import type { PageProps } from '../app/pages.ts';
import { loadDecoder, loadReader } from '../inspector/decoder.ts';
import { AddDevice } from './add-device.tsx';
import { type DeviceChoice, deviceEntry, freeId } from './device-lines.ts';
import { usePolled } from './poll.ts';
import './lists.css';

const EVERY_MS = 3_000;
const RATES = ['9600', '19200', '38400', '57600', '115200', '9600-7E1', '9600-8E1', '2400-8E1'];

/** What is plugged in and who dialled in, and the lines that make a device of it. */
export function Page(_: PageProps) {
  const texts = t().start;
  const { value: found, problem } = usePolled(async (signal) => {
    const answer = await getJson('/api/found', {}, signal);
    return isObject(answer) ? answer : {};
  }, EVERY_MS);
  const choice = useSignal<DeviceChoice | undefined>(undefined);
  const ports = listOf(found?.ports).filter(isObject);
  const used = new Set(listOf(found?.used).map(textOf));
  const unknown = listOf(found?.unknown).filter(isObject);
  const choose = (change: Partial<DeviceChoice>, name: string): void => {
    const taken = new Set(devices.all.keys());
    choice.value = {
      id: freeId(name, taken),
      link: '',
      baud: '',
      identity: '',
      from: '',
      messages: '',
      ...change,
    };
  };
  return (
    <section class="listing steps">
      <header>
        <h2>{t().app.start}</h2>
        <span class="quiet">{texts.about(Number(found?.configured) || 0, textOf(found?.file))}</span>
      </header>
      {problem !== '' && <p class="card note quiet">{problem}</p>}
      <div class="panels">
        <section class="card panel">
          <h3>{texts.ports}</h3>
          {ports.length === 0 && <p class="quiet">{texts.noPorts}</p>}
          {ports.length > 0 && (
            <div class="rows-box">
              <table class="rows">
                <tbody>
                  {ports.map((port) => (
                    <tr key={textOf(port.path)}>
                      <th scope="row" class="mono">
                        {textOf(port.path)}
                      </th>
                      <td class="wide">
                        {[port.manufacturer, port.byId].map(textOf).filter(Boolean).join(' · ')}{' '}
                        <span class="quiet mono">
                          {[port.vendorId, port.productId].map(textOf).filter(Boolean).join(':')}
                        </span>
                      </td>
                      <td class="act">
                        {[...used].some((each) => each.startsWith(textOf(port.path))) ? (
                          <span class="quiet">{texts.used}</span>
                        ) : (
                          <button
                            type="button"
                            onClick={() =>
                              choose(
                                { link: textOf(port.path), baud: '9600' },
                                textOf(port.path).replace(/^.*\//, ''),
                              )
                            }
                          >
                            {texts.use}
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p>
            <button type="button" onClick={() => choose({ link: 'tcp:192.0.2.10:5025' }, 'device')}>
              {texts.dial}
            </button>
          </p>
        </section>
        <section class="card panel">
          <h3>{texts.dialled}</h3>
          {unknown.length === 0 && <p class="quiet">{texts.noneDialled}</p>}
          {unknown.map((link) => (
            <Unknown key={`${textOf(link.address)} ${link.since}`} link={link} choose={choose} />
          ))}
        </section>
        {choice.value !== undefined && <Lines choice={choice} />}
      </div>
    </section>
  );
}

interface UnknownProps {
  readonly link: JsonObject;
  readonly choose: (change: Partial<DeviceChoice>, name: string) => void;
}

/** A link without a name: its first bytes, and which packs they fit. */
function Unknown({ link, choose }: UnknownProps) {
  const texts = t().start;
  const matches = useSignal<readonly ProtocolMatch[] | undefined>(undefined);
  const hex = textOf(link.bytes);
  useSignalEffect(() => {
    void Promise.all([loadDecoder(), loadReader()]).then(([{ matchProtocols }, { PACKS, packProtocol }]) => {
      const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
        Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16),
      );
      const candidates = PACKS.flatMap((name) => {
        const protocol = packProtocol(name);
        return protocol === undefined ? [] : [{ name, protocol }];
      });
      matches.value = matchProtocols(bytes, candidates, 'stream').slice(0, 4);
    });
  });
  const address = textOf(link.address);
  const host = address.replace(/:\d+$/, '');
  return (
    <article class="unknown">
      <p>
        <b class="mono">{address}</b>{' '}
        <span class="quiet">
          {isNumber(link.since) ? t().age.ago(spanText(Date.now() - link.since)) : ''} ·{' '}
          {textOf(link.listener)}
        </span>
      </p>
      <p class="mono first">
        {(hex.slice(0, 96).match(/../g) ?? []).join(' ')}
        {hex.length > 96 ? ' …' : ''}
      </p>
      {matches.value === undefined ? (
        <p class="quiet">{t().app.loading}</p>
      ) : matches.value.length === 0 ? (
        <p class="quiet">{texts.fitsNothing}</p>
      ) : (
        <ul class="fits">
          {matches.value.map((match) => (
            <li key={match.name}>
              <b>{match.name}</b>
              <span class="quiet">{evidence(match)}</span>
              <button
                type="button"
                onClick={() =>
                  choose(
                    { from: host, identity: match.identity ?? '', messages: `pack:${match.name}` },
                    match.name,
                  )
                }
              >
                {texts.use}
              </button>
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

function evidence({ frames, explained, total, messages, checksum, proof, identity }: ProtocolMatch): string {
  const texts = t().start;
  return [
    texts.frames(frames, explained, total),
    checksum === undefined ? '' : texts.checksum(checksum),
    proof === 0 ? texts.unproven : '',
    identity === undefined ? '' : identity,
    messages.slice(0, 3).join(', '),
  ]
    .filter(Boolean)
    .join(' · ');
}

interface LinesProps {
  readonly choice: { value: DeviceChoice | undefined };
}

/** The lines for `devices.yaml`. */
function Lines({ choice }: LinesProps) {
  const texts = t().start;
  const packs = useSignal<readonly string[]>([]);
  useSignalEffect(() => {
    void loadReader().then(({ PACKS }) => {
      packs.value = PACKS;
    });
  });
  const { value } = choice;
  if (value === undefined) return null;
  const set = (change: Partial<DeviceChoice>): void => {
    choice.value = { ...value, ...change };
  };
  const lines = deviceEntry(value);
  return (
    <section class="card panel whole" aria-label={texts.lines}>
      <h3>{texts.lines}</h3>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          {texts.id}
          <input value={value.id} onInput={(event) => set({ id: event.currentTarget.value })} />
        </label>
        {value.link !== '' && (
          <label>
            {texts.link}
            <input value={value.link} onInput={(event) => set({ link: event.currentTarget.value })} />
          </label>
        )}
        {value.link.startsWith('/') && (
          <label>
            {texts.baud}
            <input
              list="rates"
              value={value.baud}
              onInput={(event) => set({ baud: event.currentTarget.value })}
            />
            <datalist id="rates">
              {RATES.map((rate) => (
                <option key={rate} value={rate} />
              ))}
            </datalist>
          </label>
        )}
        <label>
          {t().frames.messages}
          <select value={value.messages} onChange={(event) => set({ messages: event.currentTarget.value })}>
            <option value="">{t().frames.builtin}</option>
            {packs.value.map((pack) => (
              <option key={pack} value={`pack:${pack}`}>
                {pack}
              </option>
            ))}
          </select>
        </label>
      </form>
      <pre class="mono">{`devices:\n${lines.replace(/^/gm, '  ').trimEnd()}`}</pre>
      <p>
        <button type="button" onClick={() => void navigator.clipboard.writeText(lines)}>
          {texts.copy}
        </button>
      </p>
      <p class="quiet">{texts.where}</p>
      <AddDevice lines={lines} />
    </section>
  );
}
