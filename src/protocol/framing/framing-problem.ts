/** What is wrong with a declaration. `path` leads to the key, in the words of `messages.yaml`. */
export interface FramingProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix: string;
}

const LONGEST_MARK = 64;

export type Path = FramingProblem['path'];

export function* whole(path: Path, value: number, least: number, most: number): Generator<FramingProblem> {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  yield {
    path,
    message: `${value} is not possible here`,
    fix: `Use a whole number from ${least} to ${most}.`,
  };
}

export function* mark(path: Path, bytes: { readonly length: number }): Generator<FramingProblem> {
  if (bytes.length >= 1 && bytes.length <= LONGEST_MARK) return;
  yield {
    path,
    message: `${bytes.length} bytes are not possible here`,
    fix: `Use 1 to ${LONGEST_MARK} bytes.`,
  };
}
