// A program of its own: sends points that count up to a database, until it is killed. Each line that it prints is a number
// below which all points are sent or on the disk.
import { OutputWorld } from './output-world.ts';

const [, , url = '', dir = '', first = '0'] = process.argv;
const world = new OutputWorld();
await world.apply(`  - influx: { url: "${url}", bucket: b, batch: 0s, buffer_dir: ${dir} }`);
let count = Number(first);
setInterval(() => {
  const { waiting, on_disk: onDisk } = world.shown();
  // All of it is somewhere safe: only then the next ones are made.
  if (Number(waiting) === Number(onDisk)) {
    console.log(count);
    for (let each = 0; each < 20; each++, count++) world.sample('a', 't', { n: count });
  }
}, 5);
