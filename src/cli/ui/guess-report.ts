import type { Guessed } from '../guessing.ts';
import { isProven } from '../guessing.ts';

/** Packs, and other framings, that are listed. */
const MOST_LISTED = 4;
const MOST_OTHERS = 2;

/** What was found, for people: first packs, then framing, then what stands in the frames; each with what shows it. */
export function guessReport({ packs, guess, bytes, bursts }: Guessed, name: string): string {
  const lines = [`${name}: ${counted(bytes.length, 'byte')} in ${counted(bursts, 'burst')}`];
  if (guess.ignored > 0) lines.push(`  ${guess.ignored} more are not looked at`);
  lines.push('', packs.length === 0 ? 'No pack fits.' : 'Packs that fit');
  for (const pack of packs.slice(0, MOST_LISTED)) {
    const { explained, total, frames, proof, checksum, messages } = pack;
    const sum = checksum === undefined ? '' : `, ${checksum}`;
    const proven = isProven(pack)
      ? `${Math.round(proof)} bits of checksums and constants are right`
      : 'little proves it: any text or bytes would fit nearly as well';
    lines.push(
      `  pack:${pack.name}`,
      `    ${counted(frames, 'frame')}, ${explained} of ${total} bytes${sum}; ${proven}`,
      `    messages: ${messages.slice(0, 8).join(', ')}${messages.length > 8 ? ' and others' : ''}`,
    );
  }
  for (const [index, kind] of guess.kinds.entries()) {
    lines.push('', `Framing${guess.kinds.length > 1 ? ` ${index + 1}` : ''}: ${kind.framing.type}`);
    for (const each of kind.evidence) lines.push(`  ${each}`);
    if (kind.wrong.length > 0) {
      const places = kind.wrong.slice(0, 4).map(({ start }) => start);
      lines.push(`  wrong checksum at byte ${places.join(', ')}: damaged, or of another kind`);
    }
    for (const message of kind.messages) {
      const { selector, count, least, most, text, columns, fields } = message;
      const which = selector === undefined ? '' : ` with ${hex(selector.value)} at byte ${selector.at}`;
      const size = least === most ? counted(least, 'byte') : `${least} to ${most} bytes`;
      lines.push(`  ${counted(count, text ? 'line' : 'frame')}${which}, ${size}`);
      for (const each of columns) lines.push(`    ${each}`);
      for (const { kind: what, at, length, evidence } of fields) {
        if (what === 'unknown' || what === 'selector') continue;
        const place = length === 1 ? `byte ${at}` : `bytes ${at} to ${at + length - 1}`;
        lines.push(`    ${place}: ${what}, ${shortened(evidence)}`);
      }
    }
  }
  if (guess.kinds.length > 0) {
    const { unexplained } = guess;
    lines.push(
      '',
      unexplained === 0
        ? 'Every byte belongs to a frame.'
        : `${counted(unexplained, 'byte')} of ${bytes.length} belong to no frame that holds.`,
    );
    for (const { evidence } of guess.others.slice(0, MOST_OTHERS))
      lines.push(`It could also be: ${evidence.join('; ')}`);
  }
  return `${lines.join('\n')}\n\n`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const LONGEST = 90;
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text);
