/** Lines shown before and behind each difference. */
const CONTEXT = 2;
/** Beyond this the rest is counted, not shown. */
const MOST_SHOWN = 60;
/** How far ahead the lines are looked for again. */
const LOOK_AHEAD = 200;

/** Where two lists of lines differ, for people; undefined where they do not. */
export function diffLines(expected: readonly string[], got: readonly string[]): string | undefined {
  const shown: string[] = [];
  let differences = 0;
  let [e, g] = [0, 0];
  while (e < expected.length || g < got.length) {
    if (expected[e] === got[g]) {
      e++;
      g++;
      continue;
    }
    differences++;
    const [nextE, nextG] = nextCommon(expected, got, e, g);
    if (shown.length < MOST_SHOWN) {
      shown.push(`@@ line ${e + 1} of what was expected, line ${g + 1} of what came`);
      for (const line of expected.slice(Math.max(0, e - CONTEXT), e)) shown.push(`  ${line}`);
      for (const line of marked(expected.slice(e, nextE), got.slice(g, nextG))) shown.push(line);
    }
    [e, g] = [nextE, nextG];
  }
  if (differences === 0) return undefined;
  const rest = shown.length > MOST_SHOWN ? `... and ${shown.length - MOST_SHOWN} more lines\n` : '';
  const count = `${differences} ${differences === 1 ? 'place differs' : 'places differ'}\n`;
  return `${shown.slice(0, MOST_SHOWN).join('\n')}\n${rest}${count}`;
}

/** The nearest place where both go on alike. */
function nextCommon(
  expected: readonly string[],
  got: readonly string[],
  e: number,
  g: number,
): readonly [number, number] {
  for (let ahead = 1; ahead <= LOOK_AHEAD; ahead++) {
    for (let ofE = 0; ofE <= ahead; ofE++) {
      const [atE, atG] = [e + ofE, g + ahead - ofE];
      if (atE > expected.length || atG > got.length) continue;
      if (atE === expected.length && atG === got.length) return [atE, atG];
      if (atE < expected.length && expected[atE] === got[atG]) return [atE, atG];
    }
  }
  return [expected.length, got.length];
}

/** What is missing with -, what came with +; of a pair that differs in some places only, these are named. */
function marked(missing: readonly string[], came: readonly string[]): string[] {
  const lines = [...missing.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
  if (missing.length !== came.length) return lines;
  for (const [index, line] of missing.entries()) {
    const paths = differingPaths(parse(line), parse(came[index] ?? ''), '');
    if (paths.length > 0 && paths.length <= 5) lines.push(...paths.map((path) => `  ^ ${path}`));
  }
  return lines;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A golden file that was damaged: its lines are compared as text.
    return line;
  }
}

function differingPaths(expected: unknown, got: unknown, path: string): string[] {
  const keyed = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (keyed(expected) && keyed(got)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
    return keys.flatMap((key) =>
      differingPaths(expected[key], got[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)];
  return a === b || path === '' ? [] : [`${path}: expected ${a ?? 'nothing'}, got ${b ?? 'nothing'}`];
}
