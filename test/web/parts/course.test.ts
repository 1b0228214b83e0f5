import { describe, expect, it } from 'vitest';
import { Course, STEPS } from '../../../web/src/parts/course.ts';
import { windowOf } from '../../../web/src/parts/virtual-window.ts';

const T = 1_700_000_000_000;
/** The x of every point of a path, and its y. */
const points = (path: string) => path.match(/[MLV][^MLV]*/g)?.map((each) => each.replace(/ /, ',')) ?? [];

describe('the course of a number', () => {
  it('is nothing where nothing came, and stays level where nothing changes', () => {
    const course = new Course();
    expect(course.path(T, 89, 20)).toBe('');
    course.add(T, 5);
    expect(points(course.path(T + 2_000, 89, 20))).toEqual(['M87.0,10.0', 'L88.0,10.0', 'L89.0,10.0']);
  });

  it('shows the least and the greatest of a second, so that no peak is lost', () => {
    const course = new Course();
    for (const value of [5, 0, 10, 5]) course.add(T, value);
    expect(course.path(T, 89, 20)).toBe('M89.0 19.0V1.0');
  });

  it('goes from one report to the next, and not in steps as other values of the device change', () => {
    const course = new Course();
    course.add(T, 0);
    course.add(T + 400, 0);
    for (const [second, value] of [
      [1, 5],
      [2, 10],
    ] as const) {
      course.add(T + second * 1_000, value - 5);
      course.add(T + second * 1_000 + 100, value);
    }
    expect(points(course.path(T + 2_500, 89, 20))).toEqual(['M87.0,19.0', 'L88.0,10.0', 'L89.0,1.0']);
  });

  it('is broken where there was no value, and goes on behind it', () => {
    const course = new Course();
    course.add(T, 1);
    course.add(T + 1_000, Number.NaN);
    course.add(T + 3_000, 3);
    expect(points(course.path(T + 3_000, 89, 20))).toEqual(['M86.0,19.0', 'L87.0,19.0', 'M89.0,1.0']);
  });

  it('forgets what is older than it shows, also after a long silence', () => {
    const course = new Course();
    course.add(T, 1);
    course.add(T + 1_000, Number.NaN);
    expect(course.path(T + (STEPS + 5) * 1_000, 89, 20)).toBe('');
  });

  it('stands still while a clock is set back', () => {
    const course = new Course();
    course.add(T, 1);
    course.add(T - 60_000, 2);
    expect(points(course.path(T, 89, 20))).toHaveLength(2);
  });

  it('takes from the history what was before, and nothing over what came', () => {
    const course = new Course();
    course.add(T, 9);
    course.fillIn(
      [
        { t: T - 200_000, last: 7 },
        { t: T - 2_000, last: 1 },
        { t: T, last: 5 },
      ],
      T,
    );
    const path = points(course.path(T, 89, 20));
    expect(path).toHaveLength(STEPS);
    expect([path[0], path.at(-2), path.at(-1)]).toEqual(['M0.0,5.5', 'L88.0,19.0', 'L89.0,1.0']);
  });
});

describe('the lines in sight', () => {
  it.each([
    [{ top: 100, view: 900, lines: 1_000 }, [0, 34]],
    [{ top: -2_900, view: 900, lines: 1_000 }, [94, 138]],
    [{ top: -28_100, view: 900, lines: 1_000 }, [962, 1_000]],
    [{ top: -99_999, view: 900, lines: 10 }, [10, 10]],
    [{ top: 0, view: 900, lines: 0 }, [0, 0]],
  ] as const)('%o', ({ top, view, lines }, [first, end]) => {
    expect(windowOf(top, view, 29, lines, 6)).toEqual({ first, end });
  });
});
