import { HeartwireError } from '../errors.ts';

/**
 * A yargs `coerce` for whole numbers, which says what it saw; yargs' own `number` turns everything else into NaN.
 * @throws HeartwireError `bad_argument`
 */
export function wholeNumber(option: string, least: number, most: number): (given: unknown) => number {
  return (given) => {
    // yargs hands an option that was given twice over as an array.
    if (Array.isArray(given)) throw new HeartwireError('bad_argument', `--${option} is given twice.`);
    const text = String(given);
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= least && value <= most) return value;
    throw new HeartwireError(
      'bad_argument',
      `--${option} is a whole number from ${least} to ${most}, not ${text}.`,
      {
        seen: text,
      },
    );
  };
}

/** For `--port`; 0 takes any free one. */
export const portNumber = wholeNumber('port', 0, 65_535);
