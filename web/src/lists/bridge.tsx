import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { devices } from '../api/devices.ts';
import { getJson } from '../api/http.ts';
import { isNumber, isObject, type JsonObject, listOf, objectOf, textOf } from '../api/json.ts';
import { countText, momentText, spanText, timeText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { href } from '../app/location.ts';
import type { PageProps } from '../app/pages.ts';
import { devicePath } from '../app/routes.ts';
import { because, LinkSign } from '../parts/status.tsx';
import { bytesText } from './bytes-text.ts';
import { Clients } from './clients.tsx';
import { Instances } from './instances.tsx';
import { Backplane, Outputs } from './outputs.tsx';
import { usePolled } from './poll.ts';
import { useTopics } from './topic.ts';
import './lists.css';

const EVERY_MS = 2_000;

/** The bridge itself: its configuration, lines, clients and log. */
export function Page(_: PageProps) {
  const { value: bridge } = devices.bridge;
  return (
    <section class="listing">
      <div class="panels">
        <div class="stack">
          <About bridge={bridge} />
          <Configuration config={objectOf(bridge.config)} />
        </div>
        <div class="stack">
          <Lines bridge={bridge} />
          <Backplane of={objectOf(bridge.backplane)} />
        </div>
        <Instances of={objectOf(bridge.backplane)} />
        <Outputs outputs={listOf(bridge.outputs).filter(isObject)} />
        <Clients />
        <LogPanel />
      </div>
    </section>
  );
}

function About({ bridge }: { readonly bridge: JsonObject }) {
  const texts = t().bridge;
  const started = bridge.started_at;
  const counts = Object.entries(objectOf(bridge.devices)).filter(([, count]) => Number(count) > 0);
  const recording = isObject(bridge.recording) ? bridge.recording : undefined;
  const history = isObject(bridge.history) ? bridge.history : undefined;
  return (
    <section class="card panel">
      <h2>{t().app.bridge}</h2>
      <dl class="facts">
        <dt>{texts.version}</dt>
        <dd>{textOf(bridge.version)}</dd>
        <dt>{texts.started}</dt>
        <dd>{isNumber(started) ? `${momentText(started)} (${spanText(Date.now() - started)})` : ''}</dd>
        <dt>{t().app.overview}</dt>
        <dd>
          {counts.length === 0
            ? '0'
            : counts.map(([status, count]) => `${countText(Number(count))} ${statusName(status)}`).join(', ')}
        </dd>
        {recording !== undefined && (
          <>
            <dt>{texts.recording}</dt>
            <dd class={recording.status === 'recording' ? '' : 'trouble'}>
              {textOf(recording.status)} {because(recording)}{' '}
              <span class="quiet">{textOf(recording.dir)}</span>
            </dd>
          </>
        )}
        {history !== undefined && (
          <>
            <dt>{texts.history}</dt>
            <dd class={history.reason === undefined ? '' : 'trouble'}>
              {historyWord(textOf(history.state))} {because(history)}{' '}
              <span class="quiet">
                {bytesText(history.bytes)} · {textOf(history.file)}
              </span>
              {Number(history.dropped) > 0 && (
                <span class="trouble"> {texts.historyLost(countText(Number(history.dropped)))}</span>
              )}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function historyWord(state: string): string {
  const { historyStates } = t().bridge;
  return Object.hasOwn(historyStates, state) ? historyStates[state as keyof typeof historyStates] : state;
}

function statusName(status: string): string {
  const names: Readonly<{ [key: string]: string }> = t().status;
  return names[status] ?? status;
}

function Configuration({ config }: { readonly config: JsonObject }) {
  const texts = t().bridge;
  const problems = listOf(config.problems).map(textOf);
  const count = Number(config.problem_count) || 0;
  const kept = listOf(config.kept).map(textOf);
  const restart = listOf(objectOf(config.applied).needs_restart).map(textOf);
  return (
    <section class="card panel">
      <header>
        <h2>{texts.configuration}</h2>
        <span class={count === 0 ? 'quiet' : 'trouble'}>
          {count === 0 ? texts.fine : texts.problems(count)}
        </span>
      </header>
      <dl class="facts">
        <dt>{texts.file}</dt>
        <dd class="mono">{textOf(config.file)}</dd>
        <dt>{texts.loaded}</dt>
        <dd>
          {isNumber(config.loaded_at) ? momentText(config.loaded_at) : ''}{' '}
          <span class="quiet">{texts.generation(Number(config.generation) || 1)}</span>
        </dd>
        {isNumber(config.rejected_at) && (
          <>
            <dt>{texts.rejected}</dt>
            <dd class="trouble">{momentText(config.rejected_at)}</dd>
          </>
        )}
        {kept.length > 0 && (
          <>
            <dt>{texts.kept}</dt>
            <dd>{kept.join(', ')}</dd>
          </>
        )}
        {restart.length > 0 && (
          <>
            <dt>{texts.restart}</dt>
            <dd>{restart.join(', ')}</dd>
          </>
        )}
      </dl>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((text) => (
            <Problem key={text} text={text} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** `file:line:column: severity: path: what is wrong. What to do.` */
function Problem({ text }: { readonly text: string }) {
  const [, place = '', severity = '', rest = text] =
    /^(.*?:\d+:\d+): (error|warning): (.*)$/s.exec(text) ?? [];
  return (
    <li>
      {severity !== '' && (
        <span class="badge plain-badge" data-tone={severity === 'error' ? 'alarm' : 'warn'}>
          {t().bridge.severity[severity as 'error' | 'warning']}
        </span>
      )}{' '}
      <span class="mono">{place}</span> {rest}
    </li>
  );
}

function Lines({ bridge }: { readonly bridge: JsonObject }) {
  const texts = t().bridge;
  const listeners = listOf(bridge.listeners).filter(isObject);
  const unnamed = listOf(bridge.not_registered).filter(isObject);
  const buses = useTopics('buses/+/state');
  return (
    <section class="card panel">
      <h2>{texts.lines}</h2>
      {buses.length + listeners.length === 0 && <p class="quiet">{texts.noLines}</p>}
      {buses.length > 0 && (
        <div class="rows-box">
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">{texts.bus}</th>
                <th scope="col">{texts.state}</th>
                <th scope="col">{t().app.overview}</th>
                <th scope="col">{texts.wrong}</th>
              </tr>
            </thead>
            <tbody>
              {buses.map((bus) => (
                <tr key={textOf(bus.bus)}>
                  <th scope="row">{textOf(bus.bus)}</th>
                  <td>
                    <LinkSign status={textOf(objectOf(bus.link).status)} />{' '}
                    <span class="quiet">
                      {textOf(objectOf(bus.link).address)} {because(objectOf(bus.link))}
                    </span>
                  </td>
                  <td>
                    {listOf(bus.devices).map((id, index) => (
                      <span key={textOf(id)}>
                        {index > 0 ? ', ' : ''}
                        <a href={href(devicePath(textOf(id)))}>{textOf(id)}</a>
                      </span>
                    ))}
                  </td>
                  <td class="num">{countText(Number(bus.wrong_device) || 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {listeners.length > 0 && (
        <div class="rows-box">
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">{texts.listener}</th>
                <th scope="col">{texts.state}</th>
                <th scope="col">{texts.connections}</th>
                <th scope="col">{texts.refused}</th>
              </tr>
            </thead>
            <tbody>
              {listeners.map((each) => (
                <tr key={textOf(each.address)}>
                  <th scope="row" class="mono">
                    {textOf(each.address)}
                  </th>
                  <td>
                    <LinkSign status={textOf(each.status)} /> <span class="quiet">{because(each)}</span>
                  </td>
                  <td class="num">{countText(Number(each.connections) || 0)}</td>
                  <td class="num">{countText(Number(each.refused) || 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {unnamed.length > 0 && (
        <p>
          {t().feed.unnamed(Number(bridge.not_registered_count) || unnamed.length)}:{' '}
          {unnamed.map((each) => textOf(each.address)).join(', ')} —{' '}
          <a href={href('/start')}>{t().app.start}</a>
        </p>
      )}
    </section>
  );
}

function LogPanel() {
  const texts = t().bridge;
  const last = useRef(0);
  const lines = useSignal<readonly JsonObject[]>([]);
  const list = useRef<HTMLOListElement>(null);
  const { problem } = usePolled(async (signal) => {
    const found = await getJson('/api/log', { after: last.current }, signal);
    const fresh = listOf(isObject(found) ? found.lines : undefined).filter(isObject);
    if (fresh.length > 0) {
      last.current = Number(fresh.at(-1)?.n) || 0;
      lines.value = [...lines.peek(), ...fresh].slice(-500);
    }
    return true;
  }, EVERY_MS);
  // Another run of the bridge counts from 1 again.
  useSignalEffect(() => {
    void devices.bridge.value.started_at;
    last.current = 0;
    lines.value = [];
  });
  useEffect(() => {
    const element = list.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [lines.value.length]);
  return (
    <section class="card panel whole">
      <h2>{texts.log}</h2>
      {problem !== '' && <p class="quiet">{problem}</p>}
      {problem === '' && lines.value.length === 0 && <p class="quiet">{texts.noLog}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keys */}
      <ol ref={list} class="log" tabIndex={0} aria-label={texts.log}>
        {lines.value.map((line) => (
          <li key={String(line.n)}>
            <span class="num quiet">{isNumber(line.at) ? timeText(line.at) : ''}</span>
            <span class={`level ${textOf(line.level)}`}>{textOf(line.level)}</span>
            <span>
              {line.device === undefined ? '' : <b>{textOf(line.device)}: </b>}
              {textOf(line.text)}
              {line.code === undefined ? '' : <span class="quiet"> [{textOf(line.code)}]</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
