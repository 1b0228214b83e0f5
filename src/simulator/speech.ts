import type { Value, Values } from '../contract/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';

/** When, and of which device, a value is asked for. */
export interface ModelMoment {
  readonly elapsedMs: number;
  /** Values that commands have set, by `message.field`. */
  readonly set: ReadonlyMap<string, Value>;
  /** On its line, where messages carry an address. */
  readonly address: number | undefined;
}

/** The value of `message.field` now; undefined: it is made up. Pure. */
export type ValueModel = (path: string, moment: ModelMoment) => Value | undefined;

/** A device of a line that does not answer for the last `forMs` of every `everyMs`. */
export interface Failing {
  readonly address: number;
  readonly everyMs: number;
  readonly forMs: number;
  /** How much earlier than that; 0 where it is left out. */
  readonly shiftMs?: number;
}

/** What declared devices say by themselves, and how often. */
export interface DeclaredSettings {
  /** As all devices speak it. */
  readonly protocol: DeclaredProtocol;
  /** Those that are on the line, where messages carry an address; one device where they do not. */
  readonly addresses: readonly number[];
  readonly seed: number;
  /** How often a message is sent whose declaration does not say it, in ms; absent: never. */
  readonly everyMs?: number | undefined;
  /** The pace of its heartbeat; absent: as declared. */
  readonly heartbeatEveryMs?: number | undefined;
  /** It asks for the time so often; absent: once, when it has logged in. */
  readonly timeEveryMs?: number | undefined;
  /** What it says who it is, as the bridge shows it; absent: made up. */
  readonly name?: string | undefined;
  /** Known values of messages, said in turn; messages that have none here are not said unasked. Absent: made-up ones. */
  readonly said?: ReadonlyMap<string, readonly Values[]> | undefined;
  /** Values that belong together, such as a voltage and the current that it makes; goes before all others. */
  readonly model?: ValueModel | undefined;
  readonly failing?: Failing | undefined;
}

/** What a recorded device said: by itself, or as an answer. */
export interface RecordedSpeech {
  /** Without being asked, in ms since the link opened. */
  readonly unasked: ReadonlyArray<{ readonly atMs: number; readonly bytes: Uint8Array }>;
  /** What it answered, in order, to what it was sent (in hex), each time that it was. */
  readonly answers: ReadonlyMap<string, readonly (readonly Uint8Array[])[]>;
  /** What it said by itself begins again after so long, in ms. */
  readonly durationMs: number;
}
