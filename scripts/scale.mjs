// node scripts/scale.mjs
// The model of docs/background/scale.md: how far several instances over one Redis or Valkey reach. Prints its tables.

/** Measured: `npm run bench -- backplane` (us of CPU) and scripts/measure-backplane.mjs (bytes), rounded up. */
const MEASURED = {
  ownerUsPerUpdate: 70,
  serverUsPerUpdate: 12,
  serverUsPerUpdateAndReader: 8,
  readerUsPerUpdate: 60,
  gatewayUsPerDelivery: 1.3,
  serverBytesPerDevice: 960,
  serverBytesPerEntry: 500,
};

/** Assumed. */
const SHARDS = 64;
const ENTRIES = 4_096;
/** Of a core, so that there is room for a burst. */
const MOST_LOAD = 0.7;
/** Each subscriber looks at so many devices, in groups of a hundred that look at the same. */
const LOOKED_AT = 10;
/** A region is read by so many instances; a `prefix` of its own makes it one, because shards are by device. */
const READERS_OF_A_REGION = 2;

const INSTANCES = [1, 2, 5, 10, 20, 50, 100];

/** What one device more, with one subscriber more, costs: in parts of a core. */
function loads(instances, everySeconds, regional) {
  const m = MEASURED;
  const updates = 1 / everySeconds;
  // Who reads an update; one instance alone has nothing to read.
  const readers = instances === 1 ? 0 : regional ? Math.min(READERS_OF_A_REGION, instances) : instances;
  const server = updates * (m.serverUsPerUpdate + m.serverUsPerUpdateAndReader * readers);
  const deliveries = updates * LOOKED_AT * m.gatewayUsPerDelivery;
  const instance = (updates * (m.ownerUsPerUpdate + m.readerUsPerUpdate * readers) + deliveries) / instances;
  return { server: server / 1e6, instance: instance / 1e6, updates, readers };
}

const rounded = (value, digits = 2) => Number(value.toPrecision(digits));
const short = (value) => {
  if (value >= 1e6) return `${rounded(value / 1e6)} M`;
  return value >= 1e3 ? `${rounded(value / 1e3)} k` : String(rounded(value));
};
const bytes = (value) => (value >= 1e9 ? `${rounded(value / 1e9)} GB` : `${rounded(value / 1e6)} MB`);

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

const SPREADS = [
  ['one feed', false],
  [`regions of ${READERS_OF_A_REGION} instances`, true],
];

/** As many devices, and as many subscribers, as the busier of server and instance carries. */
function reach() {
  const rows = [];
  for (const [name, regional] of SPREADS)
    for (const everySeconds of [10, 60])
      rows.push([
        name,
        `${everySeconds} s`,
        ...INSTANCES.map((instances) => {
          const { server, instance } = loads(instances, everySeconds, regional);
          return `${short(MOST_LOAD / Math.max(server, instance))} ${server > instance ? 'S' : 'I'}`;
        }),
      ]);
  return table(['', 'an update every', ...INSTANCES.map(String)], rows);
}

/** A million devices, and a million subscribers. */
function million() {
  const rows = [];
  for (const [name, regional] of SPREADS)
    for (const instances of [10, 20, 50, 100]) {
      const { server, instance, updates, readers } = loads(instances, 60, regional);
      const rate = updates * 1e6;
      rows.push([
        name,
        String(instances),
        short(rate / SHARDS),
        `${bytes(rate * readers * MEASURED.serverBytesPerEntry)}/s`,
        bytes(1e6 * MEASURED.serverBytesPerDevice + SHARDS * ENTRIES * MEASURED.serverBytesPerEntry),
        String(rounded(server * 1e6)),
        String(rounded(instance * 1e6)),
      ]);
    }
  const heads = ['', 'instances', 'updates of a shard, each second', 'read from the server', 'its memory'];
  return table([...heads, 'its cores', 'cores of an instance'], rows);
}

console.log(`${reach()}\n\n${million()}`);
