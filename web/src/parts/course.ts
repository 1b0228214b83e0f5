/** The width of one step of a spark line. */
export const STEP_MS = 1_000;
export const STEPS = 90;

/**
 * The last minute and a half of a number: the least, the greatest and the last value of each second. A second in which
 * nothing came holds what the one before ended with, as long as the value was not taken back.
 */
export class Course {
  /** What was before was asked for. */
  filled = false;
  readonly #least = new Float64Array(STEPS).fill(Number.NaN);
  readonly #greatest = new Float64Array(STEPS).fill(Number.NaN);
  #second = Number.NaN;
  #last = Number.NaN;
  /** A value came within the second that runs; until then it has the one from before. */
  #came = false;

  /** `value`: NaN where there is none now. */
  add(atMs: number, value: number): void {
    this.#advance(atMs);
    const at = this.#indexOf(this.#second);
    // What is known again as another value of the device changed did not come again.
    if (value === this.#last) return;
    this.#last = value;
    if (Number.isNaN(value)) return;
    if (!this.#came) {
      this.#came = true;
      this.#least[at] = value;
      this.#greatest[at] = value;
      return;
    }
    const [least = Number.NaN, greatest = Number.NaN] = [this.#least[at], this.#greatest[at]];
    this.#least[at] = Number.isNaN(least) ? value : Math.min(least, value);
    this.#greatest[at] = Number.isNaN(greatest) ? value : Math.max(greatest, value);
  }

  /** Fills in what was before the first value that came, the oldest point first; what came stays. */
  fillIn(points: readonly { readonly t: number; readonly last: number }[], atMs: number): void {
    this.#advance(atMs);
    const first = this.#second - STEPS + 1;
    let at = 0;
    let held = Number.NaN;
    for (let second = first; second <= this.#second; second++) {
      for (
        let point = points[at];
        point !== undefined && point.t < (second + 1) * STEP_MS;
        point = points[++at]
      )
        held = point.last;
      const index = this.#indexOf(second);
      if (!Number.isNaN(this.#least[index] ?? Number.NaN)) return;
      this.#least[index] = held;
      this.#greatest[index] = held;
    }
  }

  #indexOf(second: number): number {
    return ((second % STEPS) + STEPS) % STEPS;
  }

  #advance(atMs: number): void {
    const second = Math.floor(atMs / STEP_MS);
    if (Number.isNaN(this.#second)) this.#second = second;
    // A clock that was set back goes on in the same second.
    if (second <= this.#second) return;
    const steps = Math.min(second - this.#second, STEPS);
    for (let each = second - steps + 1; each <= second; each++) {
      const at = this.#indexOf(each);
      this.#least[at] = this.#last;
      this.#greatest[at] = this.#last;
    }
    this.#second = second;
    this.#came = false;
  }

  /** The path of an SVG in a box of that size; empty where there is nothing to draw. Gaps stay gaps. */
  path(atMs: number, width: number, height: number): string {
    this.#advance(atMs);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = 0; at < STEPS; at++) {
      const [least = Number.NaN, greatest = Number.NaN] = [this.#least[at], this.#greatest[at]];
      if (least < low) low = least;
      if (greatest > high) high = greatest;
    }
    if (low > high) return '';
    const span = high - low;
    const y = (value: number): string =>
      (span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 2)).toFixed(1);
    let text = '';
    let pen = false;
    for (let step = 0; step < STEPS; step++) {
      const at = this.#indexOf(this.#second - STEPS + 1 + step);
      const [least = Number.NaN, greatest = Number.NaN] = [this.#least[at], this.#greatest[at]];
      if (Number.isNaN(least)) {
        pen = false;
        continue;
      }
      const x = ((step / (STEPS - 1)) * width).toFixed(1);
      text += `${pen ? 'L' : 'M'}${x} ${y(least)}`;
      if (greatest !== least) text += `V${y(greatest)}`;
      pen = true;
    }
    return text;
  }
}

/** Courses of many values, by name; only what is asked for is kept. */
export class Courses {
  readonly #courses = new Map<string, Course>();

  of(key: string): Course {
    let course = this.#courses.get(key);
    if (course === undefined) {
      course = new Course();
      this.#courses.set(key, course);
    }
    return course;
  }

  clear(): void {
    this.#courses.clear();
  }

  delete(key: string): void {
    this.#courses.delete(key);
  }
}
