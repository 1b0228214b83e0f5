// A program of its own: sends points that count up to a database, until it is killed. Without a total each line that it
// prints is a number below which all points are sent or on the disk; with one, it makes so many and prints its state.
import { OutputWorld } from './output-world.ts';

const [, , url = '', dir = '', first = '0', total, more = ''] = process.argv;
const world = new OutputWorld();
await world.apply(`  - influx: { url: "${url}", bucket: b, batch: 0s, buffer_dir: ${dir} ${more} }`);
let count = Number(first);
const make = (points: number): void => {
  for (let each = 0; each < points; each++, count++) world.sample('a', 't', { n: count });
};
if (total !== undefined) make(Number(total));
setInterval(() => {
  const shown = world.shown();
  if (total !== undefined) return console.log(JSON.stringify(shown));
  // All of it is somewhere safe: only then the next ones are made.
  if (Number(shown.waiting) === Number(shown.on_disk)) {
    console.log(count);
    make(20);
  }
}, 5);
