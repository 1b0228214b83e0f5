import { useSignal } from '@preact/signals';
import { feed, mayAdminister } from '../api/feed.ts';
import { isNumber, isObject, listOf, objectOf, textOf } from '../api/json.ts';
import { countText, spanText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { bytesText } from './bytes-text.ts';
import { usePolled } from './poll.ts';
import './lists.css';

const EVERY_MS = 2_000;

/** Who is connected, to this instance and to the others. */
export function Clients() {
  const texts = t().bridge;
  const { value, problem } = usePolled(async () => {
    const answer = await feed.client.peek()?.request('get_clients');
    const { clients, count, unreached } = objectOf(answer);
    return { clients: listOf(clients).filter(isObject), count, unreached: listOf(unreached).map(textOf) };
  }, EVERY_MS);
  const hasInstances = value?.clients.some(({ instance }) => instance !== undefined) === true;
  const hasUsers = value?.clients.some(({ user }) => user !== undefined) === true;
  const kicked = useSignal('');
  const me = feed.client.value?.clientId;
  const kick = async (id: string): Promise<void> => {
    if (!confirm(texts.kickSure(id))) return;
    await feed.client
      .peek()
      ?.request('kick', { client_id: id })
      .catch((cause: Error) => {
        kicked.value = cause.message;
      });
  };
  return (
    <section class="card panel whole">
      <header>
        <h2>{texts.clients}</h2>
        <span class="quiet num">
          {value === undefined ? '' : countText(Number(value.count) || value.clients.length)}
        </span>
      </header>
      {problem !== '' && <p class="quiet">{problem}</p>}
      {value !== undefined && value.unreached.length > 0 && (
        <p class="trouble">{texts.unreached(value.unreached.join(', '))}</p>
      )}
      {kicked.value !== '' && <p class="trouble">{kicked.value}</p>}
      {value !== undefined && (
        <div class="rows-box">
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">{texts.client}</th>
                {hasInstances && <th scope="col">{texts.instance}</th>}
                {hasUsers && <th scope="col">{texts.user}</th>}
                <th scope="col">{texts.address}</th>
                <th scope="col">{texts.connected}</th>
                <th scope="col">{texts.subscriptions}</th>
                <th scope="col" class="right">
                  {texts.backlog}
                </th>
                <th scope="col" class="right">
                  {texts.sent}
                </th>
                <th scope="col">
                  <span class="visually-hidden">{texts.kick}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.clients.map((client) => (
                <tr key={`${textOf(client.instance)} ${textOf(client.id)}`}>
                  <th scope="row" class="mono">
                    {textOf(client.id)} {client.id === me && <span class="quiet">({texts.thisPage})</span>}
                  </th>
                  {hasInstances && <td>{textOf(client.instance)}</td>}
                  {hasUsers && <td class="mono">{textOf(client.user)}</td>}
                  <td class="mono">{textOf(client.address)}</td>
                  <td class="num">
                    {isNumber(client.connected_at)
                      ? t().age.for(spanText(Date.now() - client.connected_at))
                      : ''}
                  </td>
                  <td class="wide mono">{listOf(client.subscriptions).map(textOf).join(', ')}</td>
                  <td class={`num right${Number(client.backlog) > 65_536 ? ' trouble' : ''}`}>
                    {bytesText(client.backlog)}
                  </td>
                  <td class="num right">{bytesText(client.bytes_sent)}</td>
                  <td class="act">
                    {mayAdminister.value && client.id !== me && (
                      <button type="button" onClick={() => void kick(textOf(client.id))}>
                        {texts.kick}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
