import { effect, signal } from '@preact/signals';
import { clock } from '../api/clock.ts';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { HttpError } from '../api/http.ts';
import { t } from '../app/language.ts';
import { pastMoment } from '../app/location.ts';
import { PastView } from './past-view.ts';

/** While the scrubber moves, nothing is asked for. */
const SETTLE_MS = 200;

/** The moment that is shown now; undefined: the present. */
export const past = signal<PastView | undefined>(undefined);
/** Why it cannot be shown. */
export const pastComplaint = signal('');

/** Shows the moment of the address on the whole page; returns what ends that. */
export function followPast(): () => void {
  return effect(() => {
    const at = pastMoment.value;
    const client = feed.client.value;
    clock.showMoment(at);
    if (at === undefined || client === undefined) {
      past.value = undefined;
      pastComplaint.value = '';
      devices.showPast(undefined);
      return undefined;
    }
    const view = new PastView(at, client.view, () => devices.refresh());
    const timer = setTimeout(() => {
      view.load().then(
        () => {
          past.value = view;
          pastComplaint.value = '';
          devices.showPast(view);
        },
        (error: unknown) => {
          if (view !== undefined && error instanceof DOMException) return;
          pastComplaint.value =
            error instanceof HttpError && error.status === 404 ? t().past.noHistory : String(error);
          past.value = view;
          devices.showPast(view);
        },
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      view.end();
    };
  });
}
