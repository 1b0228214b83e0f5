import { useSignalEffect } from '@preact/signals';
import { clock } from '../api/clock.ts';
import { devices } from '../api/devices.ts';
import { feed, OWN_REASONS, retryNow } from '../api/feed.ts';
import { isNumber, isObject, listOf, textOf } from '../api/json.ts';
import { words } from '../api/values.ts';
import { Icon, type Sign } from '../parts/icon.tsx';
import { because } from '../parts/status.tsx';
import { momentText, spanText, timeText } from './format.ts';
import { t } from './language.ts';
import { pastMoment } from './location.ts';

/** How true all that is shown is; it is on top of every page, and in every screenshot. */
export function Banner() {
  useSignalEffect(() => {
    const phase = feed.phase.value;
    document.body.dataset.feed = pastMoment.value === undefined ? phase : 'past';
    clock.freeze(phase === 'lost' || phase === 'recovering');
  });
  const phase = feed.phase.value;
  const status = feed.status.value;
  void clock.tick.value;
  const note = noteText();
  return (
    <aside class="strip" id="strip" aria-label={t().feed.title}>
      <span class="sign" role="status" id="sign">
        {pastMoment.value !== undefined ? (
          <Icon name="past" />
        ) : phase === 'live' ? (
          // Beats where the bridge said something since the last second.
          <span key={clock.heardWallMs} class="beating">
            <Icon name={SIGNS.live} />
          </span>
        ) : (
          <Icon name={SIGNS[phase]} />
        )}
        <span id="sign-text">{signText()}</span>
      </span>
      <span class="note" id="note" title={note}>
        {note}
      </span>
      {phase === 'lost' && (
        <button
          type="button"
          id="retry"
          disabled={status.state !== 'closed' && status.retryAt === undefined}
          onClick={retryNow}
        >
          {t().feed.retry}
        </button>
      )}
    </aside>
  );
}

const SIGNS: Readonly<Record<typeof feed.phase.value, Sign>> = {
  live: 'online',
  connecting: 'registering',
  recovering: 'registering',
  lost: 'lost',
};

function signText(): string {
  const texts = t().feed;
  if (pastMoment.value !== undefined) return texts.past;
  switch (feed.phase.value) {
    case 'live':
      return texts.live;
    case 'recovering':
      return texts.recovering;
    case 'connecting':
      return feed.wantsToken.value ? texts.waiting : texts.connecting;
    case 'lost':
      if (knowsDevices()) return texts.lost;
      return feed.status.value.state === 'closed' ? texts.notLetIn : texts.noBridge;
  }
}

function knowsDevices(): boolean {
  void devices.listed.value;
  return devices.all.size > 0;
}

function noteText(): string {
  const texts = t().feed;
  if (pastMoment.value !== undefined) return t().past.note(momentText(pastMoment.value));
  switch (feed.phase.value) {
    case 'connecting':
      return feed.wantsToken.value ? texts.wantsToken : texts.asking;
    case 'recovering':
      return texts.catchingUp;
    case 'live':
      return liveNote();
    case 'lost':
      return lostNote();
  }
}

/** Where devices may dial in, and what did so without a name. */
function liveNote(): string {
  const texts = t().feed;
  const status = devices.bridge.value;
  const addresses = listOf(status.listeners).map(listenerText).join(', ');
  const unnamed = isNumber(status.not_registered_count)
    ? status.not_registered_count
    : listOf(status.not_registered).length;
  const parts = [
    feed.limited.value && texts.onlyCovered,
    addresses !== '' && texts.listeningOn(addresses),
    unnamed > 0 && texts.unnamed(unnamed),
  ];
  return parts.filter(Boolean).join(' · ') || texts.connected;
}

/** The address of a listener, with why it does not listen. */
export function listenerText(listener: unknown): string {
  if (!isObject(listener)) return words(listener);
  const address = (textOf(listener.address) || textOf(listener.link)).replace(/^tcp-listen:(\/\/)?/, '');
  const status = textOf(listener.status);
  if (status === '' || status === 'listening' || status === 'opening') return address;
  return `${address} (${[words(status), because(listener)].filter(Boolean).join(', ')})`;
}

function lostNote(): string {
  const texts = t().feed;
  const { state, reason, detail, retryAt } = feed.status.value;
  const at = clock.heardWallMs;
  const known =
    knowsDevices() && at !== undefined ? texts.lastKnown(timeText(at), spanText(clock.silentMs)) : '';
  const complaint = OWN_REASONS.includes(reason)
    ? ''
    : texts.said(words(detail ?? reason).replace(/\.$/, ''));
  if (state === 'closed')
    return `${known}${complaint}${feed.wantsToken.value ? texts.wantsAnother : texts.staysAway}`;
  if (retryAt !== undefined)
    return `${known}${complaint}${texts.nextTry(Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)))}`;
  return `${known}${reason === 'silent' ? texts.silent : complaint + texts.trying}`;
}
