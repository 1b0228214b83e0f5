import type { Instant } from '../../instant.ts';

/** When a device on a bus can send something; monotonic ms, infinite for never. */
export interface LineWish {
  readonly pollAt: number;
  readonly commandAt: number;
}

export const NO_WISH: LineWish = {
  pollAt: Number.POSITIVE_INFINITY,
  commandAt: Number.POSITIVE_INFINITY,
};

/** How the turn of a device ended. */
export type TurnEnd =
  /** The device answered, or refused. */
  | 'answered'
  /** It did not answer in time. */
  | 'silent'
  /** What was sent has no answer. */
  | 'sent'
  /** Nothing was sent. */
  | 'unused';

export type BusEvent =
  | { readonly type: 'lineOpened' }
  | { readonly type: 'lineClosed' }
  /** `timeoutMs`: how long a request to it waits for its reply. */
  | { readonly type: 'joined'; readonly device: string; readonly timeoutMs: number }
  | { readonly type: 'left'; readonly device: string }
  /** When it has a command, and a poll, to send next; monotonic ms, infinite for never. */
  | {
      readonly type: 'wanted';
      readonly device: string;
      readonly commandAt: number;
      readonly pollAt: number;
    }
  | { readonly type: 'turnOver'; readonly device: string; readonly how: TurnEnd }
  /** Bytes came over the line. */
  | { readonly type: 'heard' }
  | { readonly type: 'deadlineReached' };

/** The device may send one request; `turnOver` is to be reported for it. */
export interface GiveTurn {
  readonly type: 'giveTurn';
  readonly device: string;
}

const NEVER = Number.POSITIVE_INFINITY;
const NONE: readonly GiveTurn[] = [];

/** So many commands in a row go before a poll that is due. */
const MOST_COMMANDS = 4;
/** So many requests in a row without an answer, and the device is asked less and less often. */
const MISSES = 2;
/** The first pause of such a device, in ms; it doubles up to the longest one. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Devices that do not answer get at most this part of the time of a busy line, all together. */
const PROBE_SHARE = 1 / 40;
/** A line on which bytes never stop coming is used all the same after so long, in ms. */
const LONGEST_QUIET_MS = 500;

interface Member {
  commandAt: number;
  pollAt: number;
  /** Since when a command waits, as a running number. */
  commandRank: number;
  /** When its last turn came, as a running number. */
  turnRank: number;
  /** Requests in a row without an answer. */
  misses: number;
  /** It is not asked for a poll before; monotonic ms. */
  notBefore: number;
  /** How long a turn of it without an answer takes, in ms; what this process adds by standing still is not its fault. */
  readonly cost: number;
}

/*
 *   closed --lineOpened--> free --quiet, a device has something to send--> taken --turnOver--> turn-around --> free
 *
 * Commands go first, in the order in which they came; then the poll of the device whose last turn is longest ago. A
 * device that does not answer has pauses of its own; and on a line that others need it waits until all devices of its
 * kind have used no more than their share.
 */

/** Whose turn it is on a line that several devices share: one request at a time. */
export class BusScheduler {
  readonly #turnaroundMs: number;
  readonly #members = new Map<string, Member>();
  #open = false;
  #turn: { readonly device: string } | undefined;
  #freeSince = 0;
  #quietAt = 0;
  #rank = 0;
  #commandsInRow = 0;
  /** On a busy line no silent device is asked before; monotonic ms. */
  #probeAt = 0;
  /** When the last event came. */
  #now = 0;

  constructor({ turnaroundMs }: { readonly turnaroundMs: number }) {
    this.#turnaroundMs = turnaroundMs;
  }

  /** The device that has the turn. */
  get asked(): string | undefined {
    return this.#turn?.device;
  }

  handle(event: BusEvent, { monoMs: now }: Instant): readonly GiveTurn[] {
    this.#now = now;
    switch (event.type) {
      case 'lineOpened':
        this.#open = true;
        this.#turn = undefined;
        this.#free(now, now);
        break;
      case 'lineClosed':
        this.#open = false;
        this.#turn = undefined;
        return NONE;
      case 'joined':
        this.#members.set(event.device, newMember(event.timeoutMs + this.#turnaroundMs));
        break;
      case 'left':
        this.#members.delete(event.device);
        // Its reply may still be on the line.
        if (this.#turn?.device === event.device) this.#over(now);
        break;
      case 'wanted':
        this.#wanted(event);
        break;
      case 'turnOver':
        if (this.#turn?.device !== event.device) return NONE;
        this.#turnOver(event.how, this.#turn.device, now);
        break;
      case 'heard':
        if (this.#turn === undefined) this.#free(this.#freeSince, now + this.#turnaroundMs);
        return NONE;
      case 'deadlineReached':
        break;
    }
    return this.#give(now);
  }

  /** When `deadlineReached` is due, monotonic ms; infinite: not at all. */
  nextDeadline(): number {
    if (!this.#open || this.#turn !== undefined) return NEVER;
    let next = NEVER;
    for (const member of this.#members.values()) {
      next = Math.min(next, member.commandAt, this.#pollAt(member, Math.max(this.#now, this.#quietAt)));
    }
    return Math.max(next, this.#quietAt);
  }

  #wanted({ device, commandAt, pollAt }: Extract<BusEvent, { type: 'wanted' }>): void {
    const member = this.#members.get(device);
    if (member === undefined) return;
    if (member.commandAt === NEVER && commandAt !== NEVER) member.commandRank = ++this.#rank;
    member.commandAt = commandAt;
    member.pollAt = pollAt;
  }

  #turnOver(how: TurnEnd, device: string, now: number): void {
    const member = this.#members.get(device);
    if (how === 'unused') {
      this.#turn = undefined;
      return;
    }
    if (member !== undefined && how === 'answered') {
      member.misses = 0;
      member.notBefore = 0;
    }
    if (member !== undefined && how === 'silent') this.#missed(member, now);
    this.#over(now);
  }

  #missed(member: Member, now: number): void {
    const { cost } = member;
    member.misses += 1;
    if (member.misses < MISSES) return;
    const first = Math.max(FIRST_PAUSE_MS, 2 * cost);
    // The power may overflow to Infinity, which the limit brings back.
    const pause = Math.min(Math.max(LONGEST_PAUSE_MS, first), first * 2 ** (member.misses - MISSES));
    member.notBefore = now + pause;
    this.#probeAt = now + cost / PROBE_SHARE - cost;
  }

  #over(now: number): void {
    this.#turn = undefined;
    this.#free(now, now + this.#turnaroundMs);
  }

  /** The line is free since then, and quiet from then on. */
  #free(since: number, quietAt: number): void {
    this.#freeSince = since;
    this.#quietAt = Math.min(quietAt, since + Math.max(LONGEST_QUIET_MS, this.#turnaroundMs));
  }

  #give(now: number): readonly GiveTurn[] {
    if (!this.#open || this.#turn !== undefined || now < this.#quietAt) return NONE;
    const command = this.#first(
      (member) => member.commandAt <= now,
      (member) => member.commandRank,
    );
    const poll =
      command !== undefined && this.#commandsInRow < MOST_COMMANDS
        ? undefined
        : this.#first(
            (member) => this.#pollAt(member, now) <= now,
            (member) => member.turnRank,
          );
    const device = poll ?? command;
    const member = device === undefined ? undefined : this.#members.get(device);
    if (device === undefined || member === undefined) return NONE;
    this.#commandsInRow = poll === undefined ? this.#commandsInRow + 1 : 0;
    member.turnRank = ++this.#rank;
    // One more that waits behind it waits since now.
    member.commandRank = this.#rank;
    this.#turn = { device };
    return [{ type: 'giveTurn', device }];
  }

  #first(can: (member: Member) => boolean, rank: (member: Member) => number): string | undefined {
    let found: string | undefined;
    let least = NEVER;
    for (const [device, member] of this.#members) {
      if (!can(member) || rank(member) >= least) continue;
      found = device;
      least = rank(member);
    }
    return found;
  }

  /** When its poll may go out, where that is looked at `now`. */
  #pollAt(member: Member, now: number): number {
    if (member.misses < MISSES) return member.pollAt;
    const own = Math.max(member.pollAt, member.notBefore);
    const at = Math.max(own, now);
    return this.#isIdle(member, at) ? own : Math.max(own, this.#probeAt);
  }

  /** No device that answers needs the line while a request to this one is out. */
  #isIdle(asked: Member, at: number): boolean {
    const until = at + asked.cost + this.#turnaroundMs;
    for (const member of this.#members.values()) {
      if (member.misses < MISSES && Math.min(member.pollAt, member.commandAt) < until) return false;
    }
    return true;
  }
}

const newMember = (cost: number): Member => ({
  commandAt: NEVER,
  pollAt: NEVER,
  commandRank: 0,
  turnRank: 0,
  misses: 0,
  notBefore: 0,
  cost,
});
