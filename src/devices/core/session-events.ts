import type { AlarmEvent, LinkState, StateDocument, StatsDocument } from '../../contract/feed/index.ts';
import type { Identity, Transport, Values } from '../../contract/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type {
  DeclaredMessage,
  DecoderFault,
  Discarded,
  InvalidPayload,
  LineRemark,
  Message,
} from '../../protocol/index.ts';
import type { TurnEnd } from './bus-scheduler.ts';
import type { Refusal } from './message-catalog.ts';
import type { PartialUpload, UploadCheckpoint, WholeFile } from './partial-upload.ts';

/** Why a device is stopped, as the detail of the requests that fail by it. */
export const STOPPED = {
  stopped: 'the bridge stopped this device',
  reconfigured: 'the configuration of this device changed',
  removed: 'this device was taken out of the configuration',
  moved: 'another instance has the device',
} as const;

export type StopReason = keyof typeof STOPPED;

/** A link that dialled in and claims to be this device; the listener keeps it until it is attached or refused. */
export interface LinkClaim {
  /** Unique among the claims of one process. */
  readonly claimId: number;
  readonly address: string;
  /** The peer's IP address. */
  readonly host: string;
  /** Absent: as the settings of the device say. */
  readonly transport?: Transport;
  /** What it registered or logged in as; absent where it is known by its address alone. */
  readonly register?: Identity;
  /** The declared message with which it did, which is not answered yet. */
  readonly login?: DeclaredMessage;
}

/** What ended the session before this one of the same device. */
export interface Defect {
  readonly detail: string;
  /** How many in a row, this one too. */
  readonly times: number;
  /** A valid frame of the device had come. */
  readonly seen: boolean;
}

/** What an earlier run of the bridge knew of a device that is not back yet. */
export interface KnownBefore {
  /** Since when it has had no link, in ms since the epoch. */
  readonly since: number;
  readonly reason: string;
  readonly detail: string;
  /** It hung up by itself, and may be away until its next report is overdue. */
  readonly byItself: boolean;
  readonly identity?: Identity | undefined;
}

/** What happened. Events about a link always mean the present one. */
export type SessionEvent =
  /** After a defect, a device that is dialled is left alone for a while first. */
  | { readonly type: 'started'; readonly after?: Defect | KnownBefore }
  | { readonly type: 'stopped'; readonly reason: StopReason }
  /** The cause of the failed link is fixed: a pause of the back-off ends now. */
  | { readonly type: 'pauseEnded' }
  /** The host of the link is a name, which is looked up before anything is dialled. */
  | { readonly type: 'linkResolving' }
  /** Its addresses are known and dialled from now on. */
  | { readonly type: 'linkDialling' }
  | { readonly type: 'linkOpened'; readonly address: string }
  /** Also a link that could not be opened. */
  | { readonly type: 'linkClosed'; readonly code: ErrorCode; readonly detail: string }
  /** The peer registered as another device: the link goes to that one, and stays open. */
  | { readonly type: 'linkTransferred'; readonly detail: string }
  | { readonly type: 'linkClaimed'; readonly claim: LinkClaim }
  | { readonly type: 'claimWithdrawn'; readonly claimId: number }
  | { readonly type: 'messageReceived'; readonly message: Message | InvalidPayload }
  /** A chunk was decoded; `pending` bytes of an unfinished frame are held. `remark`: what is odd about the line. */
  | {
      readonly type: 'chunkReceived';
      readonly bytes: number;
      readonly pending: number;
      readonly remark?: LineRemark | undefined;
    }
  /** `past`: over a link that is not the present one any more; it was left with them when it was closed. */
  | { readonly type: 'bytesDiscarded'; readonly report: Discarded; readonly past?: boolean }
  | { readonly type: 'streamFaulted'; readonly fault: DecoderFault }
  /** The link took the frame of an effect `send` that asked for a report. */
  | { readonly type: 'sendAccepted'; readonly message: Message }
  /** The bytes of an effect `send` were not taken by the link. */
  | { readonly type: 'sendRefused'; readonly message: Message; readonly code: ErrorCode }
  /** An earlier run has stored the first chunks of these files. */
  | { readonly type: 'partialsFound'; readonly partials: readonly PartialUpload[] }
  /** The chunk of an effect `storeChunk` is on the disk, or could not be put there. */
  | { readonly type: 'chunkStored'; readonly transfer: number; readonly ok: boolean }
  /** The programs that share the port are others. */
  | { readonly type: 'portShared'; readonly places: NonNullable<StateDocument['shared']> }
  /** How the link of the bus is, which this device waits for. */
  | { readonly type: 'lineChanged'; readonly link: LinkState }
  /** The device may send one request on the bus; an effect `turnOver` follows. */
  | { readonly type: 'turnGiven' }
  /** On a bus where another host asks: what it asked of this device. */
  | { readonly type: 'requestSeen'; readonly message: DeclaredMessage }
  /** Another device answered while the reply of this one was awaited. */
  | { readonly type: 'otherAnswered'; readonly detail: string }
  /** The timer fired; `afterReading` where it follows an effect `readOnce`. */
  | { readonly type: 'deadlineReached'; readonly afterReading: boolean }
  | {
      readonly type: 'requestMade';
      readonly requestId: number;
      /** A built-in or a declared message, by name. */
      readonly message: string;
      readonly fields: Values;
      readonly timeoutMs: number;
    };

/** Why a reply was set aside: its request had timed out, or there was none; `ambiguous`: it may answer several. */
export type MessageMark = 'late' | 'unsolicited' | 'ambiguous';

/** How a request of a subscriber or of the library ended. */
export type RequestOutcome =
  | {
      readonly ok: true;
      /** The reply's error code, verbatim; absent where nothing answers. */
      readonly error?: number;
      /** As the messages' declaration names it. */
      readonly errorName?: string;
      readonly fields: Values;
      readonly roundTripMs: number;
      /** Whether the state showed it within the time-out, where the declaration says how. */
      readonly observed?: boolean;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly detail: string;
      /** The device's own reason, where it refused. */
      readonly refusal?: Refusal;
    };

/** What the runner performs, in this order. */
export type Effect =
  | { readonly type: 'openLink'; readonly addressIndex: number }
  /** `end` writes out what is queued first. The session has done with the link: nothing of it is reported any more. */
  | { readonly type: 'closeLink'; readonly how: 'end' | 'destroy' }
  /** The claimed link is the present one from here on; what it had sent so far is answered by the session. */
  | { readonly type: 'attachLink'; readonly claimId: number }
  /** The claimed link gets a register reply with error -1 where it registered, and is closed. */
  | { readonly type: 'refuseLink'; readonly claimId: number; readonly reason: string }
  /** With `report`, `sendAccepted` is wanted too. */
  | { readonly type: 'send'; readonly message: Message; readonly report?: boolean }
  /**
   * Let one turn of reading pass, then report `deadlineReached` with `afterReading`. `late`: the loop stood still, so
   * that what was read meanwhile may still be on its way.
   */
  | { readonly type: 'readOnce'; readonly late: boolean }
  /** The device is done with its turn on the bus. */
  | { readonly type: 'turnOver'; readonly how: TurnEnd }
  | { readonly type: 'publishState'; readonly document: StateDocument }
  | { readonly type: 'publishStats'; readonly document: StatsDocument }
  /** A message of the peer, for subscribers. */
  | {
      readonly type: 'publishMessage';
      readonly message: Message | InvalidPayload;
      readonly mark?: MessageMark;
      /** Where the values of a reply are in the state, where that is not the message's name. */
      readonly group?: string;
    }
  /** A piece of a file of the device, to be written at this offset; `chunkStored` is to be reported. Offset 0 starts the file again. */
  | {
      readonly type: 'storeChunk';
      readonly transfer: number;
      readonly offset: number;
      readonly last: boolean;
      readonly data: Uint8Array;
      /** Behind the last piece the file must be this. */
      readonly whole?: WholeFile;
      /** How far the file is with this piece, for a later run to go on; absent where it is the last one. */
      readonly checkpoint?: UploadCheckpoint;
    }
  /** What is there of a file is given up. */
  | { readonly type: 'dropFile'; readonly transfer: number }
  /** The values of a message, by their group in the state, where samples are wanted. */
  | { readonly type: 'publishMeasured'; readonly group: string; readonly fields: Values }
  | { readonly type: 'publishAlarm'; readonly alarm: AlarmEvent }
  | { readonly type: 'settleRequest'; readonly requestId: number; readonly outcome: RequestOutcome }
  | {
      readonly type: 'log';
      readonly level: 'info' | 'warn';
      readonly reason: string;
      readonly text: string;
    };

const NONE: readonly Effect[] = [];

/** The effects of one event. Mostly they are one or two: a list that grows would allocate room for many. */
export class EffectList {
  #first: Effect | undefined;
  #second: Effect | undefined;
  #others: Effect[] | undefined;

  push(effect: Effect): void {
    if (this.#first === undefined) this.#first = effect;
    else if (this.#second === undefined) this.#second = effect;
    else {
      this.#others ??= [];
      this.#others.push(effect);
    }
  }

  /** All of them, in their order; none are left. */
  take(): readonly Effect[] {
    const first = this.#first;
    if (first === undefined) return NONE;
    const second = this.#second;
    const others = this.#others;
    this.#first = this.#second = this.#others = undefined;
    if (second === undefined) return [first];
    return others === undefined ? [first, second] : [first, second, ...others];
  }
}
