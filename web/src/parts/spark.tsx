import { clock } from '../api/clock.ts';
import type { Course } from './course.ts';

const WIDTH = 120;
const HEIGHT = 20;

/** How a number went in the last minute and a half; goes on once a second. */
export function Spark({ course, label }: { readonly course: Course; readonly label: string }) {
  void clock.tick.value;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={course.path(clock.now(), WIDTH, HEIGHT)} fill="none" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
