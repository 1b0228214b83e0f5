import type { SerialSettings } from '../serial-address.ts';
import { COM_PORT, subnegotiation } from './telnet.ts';

/** Commands of the COM port option (RFC 2217); a server answers each with its number and 100. */
export const COMMAND = {
  signature: 0,
  baud: 1,
  dataBits: 2,
  parity: 3,
  stopBits: 4,
  control: 5,
  lineState: 6,
  modemState: 7,
  suspend: 8,
  resume: 9,
  lineStateMask: 10,
  modemStateMask: 11,
  purge: 12,
} as const;

export const ANSWER = 100;

/** Values of `control`; of the first and the last the server decides by itself where they are `none`. */
export const CONTROL = {
  flowNone: 1,
  flowXon: 2,
  flowHardware: 3,
  dtrOn: 8,
  dtrOff: 9,
  rtsOn: 11,
  rtsOff: 12,
} as const;

const PURGE_BOTH = 3;

const PARITY = { none: 1, odd: 2, even: 3, mark: 4, space: 5 } as const;
const STOP_BITS = { 1: 1, 2: 2, 1.5: 3 } as const;

export const baudBytes = (baud: number): readonly number[] => [
  (baud >>> 24) & 0xff,
  (baud >>> 16) & 0xff,
  (baud >>> 8) & 0xff,
  baud & 0xff,
];

export const dataBitsByte = ({ dataBits }: SerialSettings): number => dataBits;
export const parityByte = ({ parity }: SerialSettings): number => PARITY[parity];
export const stopBitsByte = ({ stopBits }: SerialSettings): number => STOP_BITS[stopBits];

/** One thing that a server is asked for, and what its answer must be. */
export interface Order {
  readonly command: number;
  readonly bytes: readonly number[];
  /** In words, for errors. */
  readonly what: string;
  /** Without its right answer the line is not as it was configured; others are asked for and not insisted on. */
  readonly needed: boolean;
}

export const orderBytes = ({ command, bytes }: Pick<Order, 'command' | 'bytes'>): Uint8Array =>
  subnegotiation(COM_PORT, [command, ...bytes]);

/** What a server is asked for, so that its line is as these settings say; the old bytes of the line go last. */
export function ordersFor(settings: SerialSettings): readonly Order[] {
  const { baud, dataBits, parity, stopBits, rtscts, xon, dtr, rts } = settings;
  const flow = rtscts ? CONTROL.flowHardware : xon ? CONTROL.flowXon : CONTROL.flowNone;
  const control = (value: number, what: string, needed: boolean): Order => ({
    command: COMMAND.control,
    bytes: [value],
    what,
    needed,
  });
  return [
    { command: COMMAND.baud, bytes: baudBytes(baud), what: `${baud} baud`, needed: true },
    {
      command: COMMAND.dataBits,
      bytes: [dataBitsByte(settings)],
      what: `${dataBits} data bits`,
      needed: true,
    },
    { command: COMMAND.parity, bytes: [parityByte(settings)], what: `parity ${parity}`, needed: true },
    {
      command: COMMAND.stopBits,
      bytes: [stopBitsByte(settings)],
      what: `${stopBits} stop bits`,
      needed: true,
    },
    control(flow, rtscts ? 'rtscts' : xon ? 'xon' : 'no flow control', flow !== CONTROL.flowNone),
    ...(dtr === undefined ? [] : [control(dtr ? CONTROL.dtrOn : CONTROL.dtrOff, 'dtr', true)]),
    ...(rts === undefined ? [] : [control(rts ? CONTROL.rtsOn : CONTROL.rtsOff, 'rts', true)]),
    { command: COMMAND.lineStateMask, bytes: [0], what: 'no reports of line errors', needed: false },
    { command: COMMAND.modemStateMask, bytes: [0], what: 'no reports of modem lines', needed: false },
    { command: COMMAND.purge, bytes: [PURGE_BOTH], what: 'dropping what is old', needed: false },
  ];
}
