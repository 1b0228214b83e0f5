import type { HeartwireError } from '../errors.ts';
import type { TraceEvent, TraceHead } from './event.ts';
import { CRC_32 } from './format-trace.ts';
import { HeadReader, parseFact, traceError } from './parse-line.ts';

/** Bytes of the longest line: the most bytes that it may stand for, as hex with spaces, and something in front. */
const LONGEST_LINE = 64 * 1024 * 1024;
const NEWLINE = 10;

/** Receives what a trace holds, in its order. */
export interface TraceSink {
  /** Once, before the first event, or at the end where there is none. */
  head(head: TraceHead): void;
  event(event: TraceEvent): void;
  /** What was read is right, but not complete. */
  warning(text: string): void;
}

const EVENT = /^(\+?)(\d{1,9})(?:\.(\d{1,6}))?[ \t]+([A-Za-z][\w.-]{0,63})[ \t]+([<>=*?])(?:[ \t]+(.*))?$/;
const SUM = /^#sum ([0-9a-f]{8})$/;

/**
 * Reads a trace piece by piece, in memory of one line. Throws `trace_invalid` with file:line:column at the first line
 * that is none; nothing may be pushed after that.
 */
export class TraceParser {
  readonly #file: string;
  readonly #sink: TraceSink;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #head: HeadReader;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #line = 0;
  #atUs = 0;
  #ended = false;
  #began = false;
  /** Of the lines since the last `#sum`. */
  #crc = CRC_32.initial;
  /** The line behind the last `#sum`. */
  #unconfirmedFrom = 1;

  constructor(file: string, sink: TraceSink) {
    this.#file = file;
    this.#sink = sink;
    this.#head = new HeadReader(file);
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      this.#takeLine(chunk.subarray(from, end + 1));
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#heldBytes += chunk.length - from;
    if (this.#heldBytes > LONGEST_LINE) {
      this.#line++;
      throw this.#error(
        1,
        'The line is longer than any that a trace may have.',
        'Check that the file is a trace.',
      );
    }
    // A copy: readers use their buffers again.
    this.#held.push(chunk.slice(from));
  }

  /** The trace is over. `cut`: the file broke off, as after a crash. */
  finish(cut = false): void {
    const rest = this.#joined(new Uint8Array(0));
    if (rest.length > 0 && (this.#head.sums || cut)) {
      // The recorder writes whole lines; half of one is what a crash left, or what was cut off.
      this.#line++;
    } else if (rest.length > 0) {
      this.#takeLine(rest);
    }
    this.#begin();
    if (this.#head.sums && !this.#ended) {
      const from =
        rest.length > 0 || this.#line >= this.#unconfirmedFrom
          ? `; lines ${this.#unconfirmedFrom} to ${this.#line} are not confirmed by a sum`
          : '';
      this.#sink.warning(`${this.#file}: the recording was cut short: its last line is not #end${from}.`);
    } else if (cut) {
      this.#sink.warning(`${this.#file}: the compressed file is cut short.`);
    }
  }

  #joined(last: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return last;
    const whole = new Uint8Array(this.#heldBytes + last.length);
    let at = 0;
    for (const piece of [...this.#held, last]) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }

  #takeLine(end: Uint8Array): void {
    const bytes = this.#joined(end);
    this.#line++;
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      throw this.#error(
        1,
        'The line is not UTF-8 text.',
        'Check that the file is a trace; save it as UTF-8.',
      );
    }
    // Some editors put a byte order mark in front of what they save.
    const line = (this.#line === 1 ? text.replace(/^\ufeff/, '') : text).replace(/\r?\n$/, '');
    const sum = SUM.exec(line);
    if (sum !== null) return this.#confirm(sum[1] ?? '');
    if (this.#head.sums || !this.#began) this.#crc = CRC_32.update(this.#crc, bytes, 0, bytes.length);
    if (this.#ended) {
      if (line.trim() === '') return;
      throw this.#error(1, 'Nothing may follow #end.', 'Give each trace a file of its own.', line);
    }
    if (line.startsWith('#')) return this.#directive(line);
    if (line.trim() !== '') this.#event(line);
  }

  #confirm(hex: string): void {
    if (!this.#head.sums) {
      throw this.#error(
        1,
        'There is a sum, and the first line does not say so.',
        `Write ${'`#heartwire-trace 1 sums`'}, or remove the #sum lines.`,
      );
    }
    if (Number.parseInt(hex, 16) !== CRC_32.finish(this.#crc)) {
      const { file, line } = { file: this.#file, line: this.#line };
      throw traceError(
        { file, line, column: 1 },
        `The sum does not fit: something in lines ${this.#unconfirmedFrom} to ${line - 1} was changed.`,
        'Record it again; if you changed it yourself, remove the #sum lines, and `sums` in the first line.',
        hex,
      );
    }
    this.#crc = CRC_32.initial;
    this.#unconfirmedFrom = this.#line + 1;
  }

  #directive(line: string): void {
    if (/^#(?:\s|#|$)/.test(line)) return;
    if (line === '#end') {
      this.#begin();
      if (this.#head.sums && this.#unconfirmedFrom !== this.#line) {
        throw this.#error(1, 'The lines before #end are not confirmed by a sum.', 'Record it again.');
      }
      this.#ended = true;
      return;
    }
    if (this.#began) {
      throw this.#error(
        1,
        'This belongs before the first event, or means nothing.',
        'A comment has a space behind its #.',
        line,
      );
    }
    const problem = this.#head.take(line, this.#line);
    if (problem !== undefined) throw this.#error(problem.column, problem.problem, problem.fix, line);
  }

  #begin(): void {
    if (this.#began) return;
    const head = this.#head.finish(Math.max(this.#line, 1));
    this.#began = true;
    this.#sink.head(head);
  }

  #event(line: string): void {
    this.#begin();
    const match = EVENT.exec(line);
    if (match === null) throw this.#explain(line);
    const [, plus, seconds = '0', decimals, connection = '', sign = '', rest = ''] = match;
    const us = Number(seconds) * 1e6 + (decimals === undefined ? 0 : Number(decimals.padEnd(6, '0')));
    const atUs = plus === '' ? us : this.#atUs + us;
    if (atUs < this.#atUs) {
      throw this.#error(1, 'Time goes backwards.', 'Put the lines in the order of their times.', seconds);
    }
    const fact = parseFact(sign, rest);
    if ('problem' in fact) {
      const column = (rest === '' ? line.length : line.lastIndexOf(rest)) + 1 + fact.at;
      throw this.#error(column, fact.problem, fact.fix, rest.slice(fact.at));
    }
    this.#atUs = atUs;
    this.#sink.event({ atUs, connection, fact, line: this.#line });
  }

  /** Which part of the line is the first that cannot be. */
  #explain(line: string): HeartwireError {
    const [time = ''] = /^\s*\S*/.exec(line) ?? [];
    if (!/^\+?\d{1,9}(?:\.\d{1,6})?$/.test(time)) {
      return this.#error(
        1,
        'The line does not begin with a time.',
        'Write seconds with up to six decimals, or + and the seconds since the line before.',
        time,
      );
    }
    const [connected = ''] = /^\S*[ \t]+[A-Za-z][\w.-]{0,63}(?=[ \t])/.exec(line) ?? [];
    if (connected === '') {
      return this.#error(
        time.length + 2,
        'Behind the time stands the connection.',
        'Write for example c1.',
        line.slice(time.length + 1),
      );
    }
    return this.#error(
      connected.length + 2,
      'Behind the connection stands what happened.',
      'Write < > = * or ?, then a space.',
      line.slice(connected.length + 1),
    );
  }

  #error(column: number, problem: string, fix: string, seen?: string): HeartwireError {
    return traceError({ file: this.#file, line: this.#line, column }, problem, fix, seen);
  }
}
