// A program of its own: keeps a history of four fields that count up, until it is killed. Each line that it prints says
// how far it has counted, and when.
import { History } from '../../src/history/history.ts';
import { systemClock } from '../../src/system/clock.ts';

const [, , file = 'history.db', first = '0'] = process.argv;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const history = new History({
  file,
  epoch: `e${process.pid}`,
  version: 'test',
  keepMs: 30 * 86_400_000,
  budgetBytes: 1e9,
  clock: systemClock,
  log: silent,
  conceals: () => false,
});
await history.start();
const device = history.observe({ id: 'd', fields: { 'a.w': { unit: 'V' } }, replay: false });
if (device === undefined) throw new Error('the device is not taken down');
let count = Number(first);
setInterval(() => {
  for (let each = 0; each < 20; each++, count++)
    device.measured('a', { w: count, x: count, y: count, z: count });
  console.log(`${count} ${Date.now()}`);
}, 20);
