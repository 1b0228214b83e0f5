import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  type MessageDeclaration,
} from '../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../src/protocol/declared/declared-protocol.ts';
import { alternate, type Bench, type BenchRow } from './support/bench.ts';
import { binaryParser } from './support/binary-parser.ts';

const fieldsOf = (prefix: string): readonly FieldDeclaration[] => [
  { name: `${prefix}uptime`, type: 'u32', unit: 's' },
  { name: `${prefix}temperature`, type: 'i16', scale: 0.01, unit: '°C' },
  { name: `${prefix}humidity`, type: 'u8', unit: '%' },
  { name: `${prefix}mode`, type: 'u8', enum: 'mode' },
  { name: `${prefix}voltage`, type: 'u16', scale: 0.001, unit: 'V' },
  { name: `${prefix}current`, type: 'i16', unit: 'mA' },
  { name: `${prefix}counter`, type: 'u32' },
  { name: `${prefix}pressure`, type: 'u16le', unit: 'hPa' },
];

const protocolOf = (messages: readonly MessageDeclaration[]) =>
  new DeclaredProtocol({
    ...DEFAULT_PROTOCOL,
    enums: { mode: { 0: 'idle', 1: 'heating', 2: 'cooling', 128: 'fault' } },
    messages,
  });

const protocol = protocolOf([{ name: 'telemetry', id: 0x10, from: 'device', fields: fieldsOf('') }]);

/** Eight messages with other names each: what the engine learns of one message helps none of the others. */
const mixed = protocolOf(
  Array.from({ length: 8 }, (_, index) => ({
    name: `telemetry_${index}`,
    id: 0x10 + index,
    from: 'device' as const,
    fields: fieldsOf(`m${index}_`),
  })),
);

const MESSAGES = 4096;
const ROUNDS = 25;
const payloads = Array.from({ length: MESSAGES }, (_, index) =>
  protocol.encode('telemetry', {
    uptime: index * 1_013,
    temperature: ((index * 7) % 6_000) / 100 - 10,
    humidity: index % 101,
    mode: ['idle', 'heating', 'cooling', 'fault'][index % 4],
    voltage: ((index * 31) % 50_000) / 1_000,
    current: (index % 4_000) - 2_000,
    counter: index * 65_537,
    pressure: 950 + (index % 100),
  }),
);

/** The same bytes, each as one of eight messages. */
const mixedPayloads = payloads.map((payload, index) =>
  Uint8Array.of(0x10 + (index % 8), ...payload.subarray(1)),
);

const MODES: Readonly<Record<number, string>> = { 0: 'idle', 1: 'heating', 2: 'cooling', 128: 'fault' };

/** The same eight fields with the same values, as somebody would write them by hand for this message alone. */
function byHand(payload: Uint8Array) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const mode = view.getUint8(8);
  return {
    uptime: view.getUint32(1),
    temperature: view.getInt16(5) / 100,
    humidity: view.getUint8(7),
    mode: MODES[mode] ?? mode,
    voltage: view.getUint16(9) / 1_000,
    current: view.getInt16(11),
    counter: view.getUint32(13),
    pressure: view.getUint16(17, true),
  };
}

const plain = binaryParser()
  .endianness('big')
  .int8('id')
  .uint32('uptime')
  .int16('temperature')
  .uint8('humidity')
  .uint8('mode')
  .uint16('voltage')
  .int16('current')
  .uint32('counter')
  .uint16le('pressure');

/** With what it offers for scales and names, it does the work that the declaration asks for. */
const formatted = binaryParser()
  .endianness('big')
  .int8('id')
  .uint32('uptime')
  .int16('temperature', { formatter: (raw: number) => raw / 100 })
  .uint8('humidity')
  .uint8('mode', { formatter: (raw: number) => MODES[raw] ?? raw })
  .uint16('voltage', { formatter: (raw: number) => raw / 1_000 })
  .int16('current')
  .uint32('counter')
  .uint16le('pressure');

function sumOf(decode: (payload: Uint8Array) => { readonly uptime?: unknown; readonly pressure?: unknown }) {
  let sum = 0;
  for (const payload of payloads) {
    const { uptime, pressure } = decode(payload);
    sum += Number(uptime) + Number(pressure);
  }
  return sum;
}

const WAYS = {
  declared: (payload: Uint8Array) => {
    const message = protocol.decode(payload, 0, payload.length);
    if (message.name !== 'declared') throw new Error('a payload of ours was not understood');
    return message.fields;
  },
  hand: byHand,
  plain: (payload: Uint8Array) => plain.parse(payload),
  formatted: (payload: Uint8Array) => formatted.parse(payload),
};

function* run(): Generator<BenchRow> {
  const wanted = sumOf(WAYS.hand);
  const check = (decode: Parameters<typeof sumOf>[0]) => () => {
    if (sumOf(decode) !== wanted) throw new Error('the decoders disagree');
  };
  const times = alternate(ROUNDS, {
    declared: check(WAYS.declared),
    hand: check(WAYS.hand),
    plain: check(WAYS.plain),
    formatted: check(WAYS.formatted),
  });
  const { eight } = alternate(ROUNDS, {
    eight: () => {
      for (const payload of mixedPayloads) {
        if (mixed.decode(payload).name !== 'declared')
          throw new Error('a payload of ours was not understood');
      }
    },
  });
  const perSecond = (ms: number) => MESSAGES / ms / 1_000;
  const shown = (ms: number) => `${perSecond(ms).toFixed(1)} M/s`;
  const figure = shown(times.declared);
  const name = '8 fields, two scaled, one with names';
  yield {
    name,
    figure,
    peer: '-',
    ratio: '-',
    target: { text: '>= 5 M/s', met: perSecond(times.declared) >= 5 },
  };
  for (const [peer, ms] of [
    ['binary-parser, raw numbers only', times.plain],
    ['binary-parser with formatters', times.formatted],
  ] as const) {
    const faster = ms / times.declared;
    yield {
      name,
      figure,
      peer: `${peer} ${shown(ms)}`,
      ratio: `${faster.toFixed(2)}x as fast`,
      target: { text: '>= 2.5x', met: faster >= 2.5 },
    };
  }
  const dearer = times.declared / times.hand;
  yield {
    name,
    figure,
    peer: `DataView by hand ${shown(times.hand)}`,
    ratio: `${dearer.toFixed(1)}x the time`,
    target: { text: '<= 12x', met: dearer <= 12 },
  };
  yield {
    name: 'eight such messages in turn',
    figure: shown(eight),
    peer: `one message ${figure}`,
    ratio: `${(eight / times.declared).toFixed(1)}x the time`,
  };
}

/** What a declaration costs against code written for one message. */
export const bench: Bench = {
  about: `decoding ${MESSAGES} messages of 8 fields, medians of ${ROUNDS} alternating rounds`,
  run,
};
