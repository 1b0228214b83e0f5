import { useEffect, useRef } from 'preact/hooks';
import { feed, giveToken } from '../api/feed.ts';
import { t } from './language.ts';

/** Asks for the token of a bridge that wants one. */
export function TokenForm() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? '';
    if (token !== '') giveToken(token);
  };
  const texts = t().token;
  return (
    <form class="card access" id="access" onSubmit={submit}>
      <h2>{texts.title}</h2>
      <p id="access-said" role="alert">
        {feed.tokenComplaint.value}
      </p>
      <p class="ask">
        <label for="token">{texts.label}</label>{' '}
        <input ref={input} id="token" type="password" autocomplete="off" spellcheck={false} required />{' '}
        <button type="submit">{texts.open}</button>
      </p>
      <p class="quiet">
        {texts.kept} <code>heartwire token</code> {texts.makes}
      </p>
    </form>
  );
}
