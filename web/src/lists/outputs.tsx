import { isNumber, isObject, type JsonObject, listOf, objectOf, textOf } from '../api/json.ts';
import { valueText, words } from '../api/values.ts';
import { countText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { AgeFor, Countdown } from '../parts/age.tsx';
import { Icon } from '../parts/icon.tsx';
import { because } from '../parts/status.tsx';

const SIGNS = {
  starting: 'connecting',
  ready: 'connected',
  backoff: 'backoff',
  failed: 'failed',
  refused: 'failed',
  superseded: 'failed',
} as const;

/** The state of something that the bridge writes to: sign, word, age, next try, and why. */
export function State({ of }: { readonly of: JsonObject }) {
  const status = textOf(of.status);
  const known = Object.hasOwn(SIGNS, status) ? (status as keyof typeof SIGNS) : undefined;
  const sign = known === undefined ? 'unknown' : SIGNS[known];
  return (
    <>
      <span class="linked" data-tone={sign}>
        <Icon name={sign} />
        <span class="word">{known === undefined ? words(status) : t().bridge.outputStates[known]}</span>
      </span>{' '}
      <AgeFor since={isNumber(of.since) ? of.since : undefined} />{' '}
      <Countdown at={isNumber(of.retry_at) ? of.retry_at : undefined} />{' '}
      <span class={status === 'failed' ? 'trouble' : 'quiet'}>{because(of)}</span>
    </>
  );
}

const count = (value: unknown): string => countText(isNumber(value) ? value : 0);

/** Where values and messages go beside the feed, what was sent, and what was lost. */
export function Outputs({ outputs }: { readonly outputs: readonly JsonObject[] }) {
  const texts = t().bridge;
  if (outputs.length === 0) return null;
  return (
    <section class="card panel whole" id="outputs">
      <header>
        <h2>{texts.outputs}</h2>
        <span class="quiet num">{countText(outputs.length)}</span>
      </header>
      <div class="rows-box">
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">{texts.output}</th>
              <th scope="col">{texts.address}</th>
              <th scope="col">{texts.state}</th>
              <th scope="col" class="right">
                {texts.delivered}
              </th>
              <th scope="col" class="right">
                {texts.queued}
              </th>
              <th scope="col" class="right">
                {texts.lost}
              </th>
            </tr>
          </thead>
          <tbody>
            {outputs.map((each, index) => (
              <tr key={`${textOf(each.kind)} ${textOf(each.url)} ${index}`}>
                <th scope="row">{textOf(each.kind)}</th>
                <td class="mono">{textOf(each.url)}</td>
                <td class="wide">
                  <State of={each} />
                </td>
                <td class="num right">{count(each.sent)}</td>
                <td class="num right">
                  {count(each.waiting)}
                  {isNumber(each.on_disk) && each.on_disk > 0 && (
                    <span class="quiet"> {texts.onDisk(countText(each.on_disk))}</span>
                  )}
                </td>
                <td class={`num right${Number(each.lost) > 0 ? ' trouble' : ''}`}>
                  {count(each.lost)}
                  {isNumber(each.damaged) && <span> {texts.damaged(countText(each.damaged))}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const SAID = new Set(['status', 'since', 'reason', 'detail', 'retry_at']);

/** What this instance shares with others; nothing where it has its feed for itself. */
export function Backplane({ of }: { readonly of: JsonObject }) {
  if (Object.keys(of).length === 0) return null;
  return (
    <section class="card panel" id="backplane">
      <h2>{t().bridge.backplane}</h2>
      <p>
        <State of={of} />
      </p>
      <dl class="facts">
        {Object.entries(of).map(([key, value]) =>
          SAID.has(key) ? null : (
            <div key={key} class="pair">
              <dt>{words(key)}</dt>
              <dd dir="auto">{pairText(value)}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}

function pairText(value: unknown): string {
  if (isNumber(value)) return countText(value);
  if (Array.isArray(value)) return listOf(value).map(nameOf).join(', ');
  return isObject(value) ? Object.entries(value).map(pair).join(', ') : valueText(value);
}

const pair = ([key, value]: readonly [string, unknown]): string => `${words(key)} ${valueText(value)}`;

/** An entry of a list by what it calls itself. */
function nameOf(entry: unknown): string {
  if (!isObject(entry)) return valueText(entry);
  const { instance, id, name, ...rest } = objectOf(entry);
  const own = textOf(instance) || textOf(name) || textOf(id);
  return own === '' ? Object.entries(rest).map(pair).join(' ') : own;
}
