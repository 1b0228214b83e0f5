import { clock } from '../api/clock.ts';
import type { Course } from './course.ts';
import { useFillIn } from './fill-in.ts';

const WIDTH = 120;
const HEIGHT = 20;

interface Props {
  readonly course: Course;
  readonly label: string;
  readonly device: string;
  readonly path: string;
}

/** How a number went in the last minute and a half; goes on once a second. */
export function Spark({ course, label, device, path }: Props) {
  useFillIn(course, device, path);
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
