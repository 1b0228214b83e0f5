import type { Values } from '../contract/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';

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
