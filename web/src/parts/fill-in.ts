import { useEffect } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { pastValues } from '../api/history.ts';
import { type Course, STEP_MS, STEPS } from './course.ts';

/** Requests at once; a list that is scrolled through asks only for where it stops. */
const AT_ONCE = 4;
const SETTLE_MS = 300;
let running = 0;
/** Where the first requests had no answer, there is no history to ask. */
let asked = 0;
let answered = 0;
const waiting: (() => void)[] = [];

function next(): void {
  while (running < AT_ONCE) {
    const job = waiting.pop();
    if (job === undefined) return;
    job();
  }
}

/** Fills in from the history what a course was before this page saw it. */
export function useFillIn(course: Course | undefined, device: string, path: string): void {
  useEffect(() => {
    if (course === undefined || course.filled || (asked > AT_ONCE && answered === 0)) return undefined;
    const controller = new AbortController();
    const job = (): void => {
      if (controller.signal.aborted) return;
      running += 1;
      asked += 1;
      course.filled = true;
      const to = clock.present();
      pastValues(device, path, { from: to - STEPS * STEP_MS, to }, STEPS * 2)
        .then(
          ({ points }) => {
            answered += 1;
            course.fillIn(points, clock.now());
          },
          () => undefined,
        )
        .finally(() => {
          running -= 1;
          next();
        });
    };
    const timer = setTimeout(() => {
      waiting.push(job);
      next();
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [course, device, path]);
}
