import { effect } from '@preact/signals';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { t } from './language.ts';
import { pastMoment } from './location.ts';

/** The title of the tab says how many devices are online, and whether that is still so. */
export function startTitle(): () => void {
  return effect(() => {
    void devices.listed.value;
    const all = devices.all.size;
    const { feed: texts } = t();
    const isPast = pastMoment.value !== undefined;
    const lost = isPast
      ? `${texts.pastTitle} · `
      : feed.phase.value === 'lost'
        ? `${texts.lostTitle} · `
        : '';
    let online = 0;
    for (const { status } of devices.all.values()) if (status === 'online') online += 1;
    const text = all === 0 ? `${lost}Heartwire` : `${lost}${texts.online(online, all)} · Heartwire`;
    if (document.title !== text) document.title = text;
  });
}
