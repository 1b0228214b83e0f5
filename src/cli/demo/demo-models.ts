import type { Values } from '../../contract/index.ts';
import type { ValueModel } from '../../simulator/index.ts';

/*
 * What the devices of the demo measure. Every value is a function of the time and of what commands have set, so that what
 * one sees hangs together: a current follows its voltage, a heater its temperature.
 */

const wave = (elapsedMs: number, periodMs: number, phase = 0): number =>
  Math.sin(2 * Math.PI * (elapsedMs / periodMs + phase));

const numberIn = (set: ReadonlyMap<string, unknown>, path: string, otherwise: number): number => {
  const value = set.get(path);
  return typeof value === 'number' ? value : otherwise;
};

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));

/** A supply with a load of some 8 ohms that moves, and a current limit. */
export const supplyModel: ValueModel = (path, { elapsedMs, set }) => {
  const setpoint = numberIn(set, 'voltage.volts', 12);
  const limit = numberIn(set, 'current.amperes', 2);
  const state = set.get('output.state') ?? 'on';
  const ohms = 8 + 1.5 * wave(elapsedMs, 37_000) + 0.3 * wave(elapsedMs, 5_300);
  const amperes = state === 'on' ? Math.min(setpoint / ohms, limit) : 0;
  const volts = state === 'on' ? Math.min(setpoint, amperes * ohms) + 0.004 * wave(elapsedMs, 2_300) : 0;
  switch (path) {
    case 'measured_voltage.volts':
      return rounded(Math.max(volts, 0), 4);
    case 'measured_current.amperes':
      return rounded(amperes, 4);
    case 'voltage.volts':
      return setpoint;
    case 'current.amperes':
      return limit;
    case 'output.state':
      return state;
    case 'identity.maker':
      return 'Heartwire';
    case 'identity.model':
      return 'Simulated supply';
    case 'identity.serial':
      return 'HW-0001';
    case 'identity.firmware':
      return '1.0';
    case 'error.code':
      return 0;
    case 'error.text':
      return 'No error';
    default:
      return undefined;
  }
};

/** Mains at a socket; the load of each meter is another. */
export const meterModel: ValueModel = (path, { elapsedMs, address = 1 }) => {
  const volts = rounded(230 + 2.5 * wave(elapsedMs, 61_000, address / 3), 1);
  const amperes = rounded(1.2 * address + 0.8 * wave(elapsedMs, 23_000 + 4_000 * address, address / 5), 3);
  switch (path.slice(path.indexOf('.') + 1)) {
    case 'voltage':
      return volts;
    case 'current':
      return amperes;
    case 'power':
      return rounded(volts * amperes * 0.95, 1);
    case 'energy':
      return 1_000 * address + Math.floor((elapsedMs / 3_600_000) * volts * amperes);
    case 'frequency':
      return rounded(50 + 0.05 * wave(elapsedMs, 47_000), 1);
    case 'power_factor':
      return 0.95;
    case 'alarm':
      return 'off';
    default:
      return undefined;
  }
};

/** A room that swings around its target, beyond the limit of 30 °C within the first seconds. */
export const thermostatModel: ValueModel = (path, { elapsedMs, set }) => {
  const target = numberIn(set, 'settings.target', 23);
  const mode = set.get('settings.mode') ?? 'auto';
  const temperature = rounded(target + 7.8 * wave(elapsedMs, 40_000), 2);
  switch (path) {
    case 'climate.temperature':
      return temperature;
    case 'climate.humidity':
      return Math.round(48 - 12 * wave(elapsedMs, 40_000));
    case 'climate.heater':
      return mode !== 'off' && mode !== 'cool' && temperature < target ? 'on' : 'off';
    case 'settings.target':
      return target;
    case 'settings.mode':
      return mode;
    default:
      return undefined;
  }
};

/** What a tracker says besides where it is. */
export const TRACKER_SAID: ReadonlyMap<string, readonly Values[]> = new Map([
  [
    'status',
    [
      {
        terminal: {
          armed: false,
          ignition: true,
          charging: true,
          alarm: 'none',
          tracking: true,
          fuel_cut: false,
        },
        battery: 'high',
        gsm: 4,
        alarm: 'none',
        language: 'english',
        serial: 0,
      },
    ],
  ],
  [
    'location',
    [
      {
        time: '2026-01-01T00:00:00',
        gps: { satellites: 9, size: 12 },
        latitude: 31.24,
        longitude: 121.49,
        speed: 0,
        course: { degrees: 0, north: true, west: false, fixed: true, differential: false },
        mcc: 460,
        mnc: 0,
        lac: 6_232,
        cell: 40_021,
        serial: 0,
      },
    ],
  ],
]);

/** A truck on a ring road of Shanghai; `startedAt` in ms since the epoch. */
export const trackerModel =
  (startedAt: number, phase: number): ValueModel =>
  (path, { elapsedMs }) => {
    const turn = elapsedMs / 240_000 + phase;
    switch (path) {
      case 'location.time':
        return new Date(startedAt + elapsedMs).toISOString().slice(0, 19);
      case 'location.latitude':
        return 31.23 + 0.06 * Math.sin(2 * Math.PI * turn);
      case 'location.longitude':
        return 121.47 + 0.07 * Math.cos(2 * Math.PI * turn);
      case 'location.speed':
        return Math.round(58 + 14 * wave(elapsedMs, 31_000, phase));
      default:
        return undefined;
    }
  };

/** A sensor board that prints two numbers and the light. */
export const boardModel: ValueModel = (path, { elapsedMs }) => {
  if (path === 'line.c1') return rounded(21.4 + 1.2 * wave(elapsedMs, 53_000), 2);
  return path === 'line.c2' ? Math.round(410 + 180 * wave(elapsedMs, 29_000)) : undefined;
};

const FILE_LINES = 60;
const CHUNK_BYTES = 512;

/** A day of a logger as a file of CSV, in pieces, and its battery. */
export function loggerSaid(): ReadonlyMap<string, readonly Values[]> {
  const lines = Array.from({ length: FILE_LINES }, (_, index) => {
    const minute = String(index).padStart(2, '0');
    return `2026-01-01T12:${minute}:00Z,${(4.1 + 0.4 * wave(index, 30)).toFixed(2)},${60 + (index % 7)}`;
  });
  const file = Buffer.from(`time,pressure_bar,flow_lpm\n${lines.join('\n')}\n`);
  const total = Math.ceil(file.length / CHUNK_BYTES);
  const chunks = Array.from({ length: total }, (_, index): Values => {
    const data = file.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return {
      transfer: 1,
      index,
      total,
      data: { $bytes: data.toString('base64'), len: data.length },
    };
  });
  return new Map([
    ['battery', [84, 84, 83, 83, 82].map((charge) => ({ charge }))],
    ['file_chunk', chunks],
  ]);
}
