import { isNumber, isObject, type JsonObject, objectOf, textOf } from '../api/json.ts';
import { countText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { AgeFor } from '../parts/age.tsx';
import { because, statusWord } from '../parts/status.tsx';
import { State } from './outputs.tsx';
import { useTopics } from './topic.ts';

const TOPICS = 'bridge/+/status';

/** All instances that share the feed, as each shows itself; nothing where there is one only. */
export function Instances({ of }: { readonly of: JsonObject }) {
  return Object.keys(of).length === 0 ? null : <Table own={textOf(of.instance)} />;
}

function Table({ own }: { readonly own: string }) {
  const texts = t().bridge;
  const nameOf = (each: JsonObject): string => textOf(objectOf(each.backplane).instance);
  const all = useTopics(TOPICS).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  if (all.length === 0) return null;
  return (
    <section class="card panel whole" id="instances">
      <header>
        <h2>{texts.instances}</h2>
        <span class="quiet num">{countText(all.length)}</span>
      </header>
      <div class="rows-box">
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">{texts.instance}</th>
              <th scope="col">{texts.state}</th>
              <th scope="col">{t().app.overview}</th>
              <th scope="col" class="right">
                {texts.owned}
              </th>
              <th scope="col">{texts.version}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((each) => (
              <tr key={nameOf(each)}>
                <th scope="row">
                  {nameOf(each)} {nameOf(each) === own && <span class="quiet">({texts.thisInstance})</span>}
                </th>
                <td class="wide">
                  <Presence of={each} />
                </td>
                <td>{countsText(objectOf(each.devices))}</td>
                <td class="num right">{countText(Number(objectOf(each.backplane).owned) || 0)}</td>
                <td>{textOf(each.version)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Whether it is there; what a lost one said last is not shown as its state. */
function Presence({ of }: { readonly of: JsonObject }) {
  if (!isObject(of.lost)) return <State of={objectOf(of.backplane)} />;
  const { since } = of.lost;
  return (
    <span class="trouble">
      {because(of.lost)} <AgeFor since={isNumber(since) ? since : undefined} />
    </span>
  );
}

function countsText(counts: JsonObject): string {
  const present = Object.entries(counts).filter(([, count]) => Number(count) > 0);
  return present.map(([status, count]) => `${countText(Number(count))} ${statusWord(status)}`).join(', ');
}
