import type { Instant } from '../../instant.ts';
import type { Change } from './change.ts';
import { CHUNK_BYTES, concatFrames, type Encoder } from './encoder.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The place in the stream at which all that matches up to `rev` has been sent. */
export interface PositionMark {
  readonly kind: 'position';
  readonly rev: number;
}

/** A member of a group. */
export interface GroupMember {
  /** Its place in the list of members; only the group sets it. */
  index: number;
}

/** The same for all who may share a stream, whatever the order of their patterns. */
export function keyOf(patterns: readonly string[], rawPatterns: readonly string[]): string {
  const key = patterns.toSorted().join('\n');
  // A pattern has no line of its own that is empty.
  return rawPatterns.length === 0 ? key : `${key}\n\n${rawPatterns.toSorted().join('\n')}`;
}

/** One change on its way to subscribers; its frame is made once, when the first of them needs it. */
export class Delivery {
  readonly change: Change | PositionMark;
  readonly #encoder: Encoder;
  #frame: Uint8Array | undefined;

  constructor(change: Change | PositionMark, encoder: Encoder) {
    this.change = change;
    this.#encoder = encoder;
  }

  frame(now: Instant): Uint8Array {
    this.#frame ??=
      this.change.kind === 'position'
        ? this.#encoder.position(this.change.rev, now)
        : this.#encoder.change(this.change, now);
    return this.#frame;
  }
}

/** Consecutive frames in one buffer, at most 64 KiB where one frame alone is not larger. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/**
 * All subscribers with the same patterns. What matches is appended here once for all of them, and every member that is
 * in sync gets the very same bytes. Deliveries are counted for ever; each member remembers its own cursor.
 *
 *     ... dropped | sealed: being written to members | open: of this turn
 *                 base                               sealedEnd          end
 */
export class SubscriptionGroup<Member extends GroupMember> {
  /** The patterns without the terms that members have for themselves. */
  readonly subscriptions: Subscriptions;
  #members: Member[] = [];
  /** A pass iterates over the list of members: it is copied before it changes. */
  #shared = false;
  /** Something other than a position was appended since the last position. */
  changed = false;
  #base = 0;
  #sealed: Delivery[] = [];
  #open: Delivery[] = [];
  #pieces: Piece[] | undefined;

  constructor(subscriptions: Subscriptions) {
    this.subscriptions = subscriptions;
  }

  /** Names the group among all. */
  get key(): string {
    const { patterns, rawPatterns } = this.subscriptions;
    return keyOf(patterns, rawPatterns);
  }

  get patterns(): readonly string[] {
    return this.subscriptions.patterns;
  }

  /** A snapshot: later members are not in it, and former ones stay. */
  get members(): readonly Member[] {
    this.#shared = true;
    return this.#members;
  }

  get empty(): boolean {
    return this.#members.length === 0;
  }

  add(member: Member): void {
    const members = this.#own();
    member.index = members.length;
    members.push(member);
  }

  /** The last member takes the place of the one that is removed. */
  delete(member: Member): void {
    const members = this.#own();
    if (members[member.index] !== member) return;
    const last = members.pop();
    if (last === undefined || last === member) return;
    members[member.index] = last;
    last.index = member.index;
  }

  get sealedEnd(): number {
    return this.#base + this.#sealed.length;
  }

  get end(): number {
    return this.sealedEnd + this.#open.length;
  }

  append(delivery: Delivery): void {
    this.#open.push(delivery);
    this.changed = delivery.change.kind !== 'position';
  }

  /** Moves what was appended so far to what the next pass writes. */
  seal(): void {
    this.#sealed = this.#sealed.length === 0 ? this.#open : [...this.#sealed, ...this.#open];
    this.#open = [];
    this.#pieces = undefined;
  }

  /** Every member is past what was sealed. */
  release(): void {
    this.#base = this.sealedEnd;
    this.#sealed = [];
    this.#pieces = undefined;
  }

  /** The list of members, to be changed. */
  #own(): Member[] {
    if (this.#shared) this.#members = [...this.#members];
    this.#shared = false;
    return this.#members;
  }

  /** Deliveries from `start` to before `end`. */
  range(start: number, end: number): Delivery[] {
    const all = this.#open.length === 0 ? this.#sealed : [...this.#sealed, ...this.#open];
    return start === this.#base && end - start === all.length
      ? all
      : all.slice(start - this.#base, end - this.#base);
  }

  /** The sealed bytes that begin exactly at `start`, shared by all members that stand there. */
  piece(start: number, now: Instant): Piece | undefined {
    this.#pieces ??= joinPieces(this.#sealed, this.#base, now);
    const first = this.#pieces[0];
    // Nearly always there is one piece only, and this is called for every subscriber.
    return first?.start === start ? first : this.#pieces.find((piece) => piece.start === start);
  }
}

function joinPieces(deliveries: readonly Delivery[], base: number, now: Instant): Piece[] {
  const pieces: Piece[] = [];
  let frames: Uint8Array[] = [];
  let size = 0;
  let start = base;
  const close = (end: number): void => {
    if (frames.length > 0) pieces.push({ start, end, bytes: concatFrames(frames) });
    frames = [];
    size = 0;
    start = end;
  };
  for (const [index, delivery] of deliveries.entries()) {
    const frame = delivery.frame(now);
    if (size + frame.length > CHUNK_BYTES) close(base + index);
    frames.push(frame);
    size += frame.length;
  }
  close(base + deliveries.length);
  return pieces;
}
