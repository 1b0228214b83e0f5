/** One series of a scrape. */
export interface Series {
  /** As it stands in the line, `_bucket` and the like included. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly series: readonly Series[];
  /** Type by the name of the family. */
  readonly types: ReadonlyMap<string, string>;
  /** Help by the name of the family. */
  readonly help: ReadonlyMap<string, string>;
  /** The value of the one series of this name and these labels, no more and no fewer; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** All series of a name, by one of their labels. */
  by(name: string, label: string): Readonly<Record<string, number>>;
}

const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;
/** Units that are no base units, and suffixes that are the format's own. */
const BAD_UNIT = /_(?:ms|millis|milliseconds|us|ns|minutes|hours|kb|mb|kib|mib|percent)(?:_|$)/;

/**
 * Reads a scrape as strictly as the text format (0.0.4) and its conventions are written: every family once, with help
 * and type before its samples, no series twice, counters that end in `_total`, histograms that add up.
 * @throws Error what is wrong, with the line
 */
export function parseExposition(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const series: Series[] = [];
  const seen = new Set<string>();
  let family = '';
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (what: string): never => {
      throw new Error(`line ${index + 1}: ${what}: ${line}`);
    };
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (!NAME.test(name)) fail('a name that is none');
      if (BAD_UNIT.test(name)) fail('no base unit');
      if (kind === 'HELP') {
        if (help.has(name)) fail('a family that comes twice');
        if (!/^[A-Z].*\.$/.test(rest)) fail('help that is no sentence');
        help.set(name, rest);
      } else {
        if (!help.has(name) || types.has(name)) fail('a type without help, or a second one');
        if (!['counter', 'gauge', 'histogram'].includes(rest)) fail('an unknown type');
        if ((rest === 'counter') !== name.endsWith('_total')) fail('counters, and they alone, end in _total');
        types.set(name, rest);
      }
      family = name;
      continue;
    }
    const [, name = '', inner, number = ''] = LINE.exec(line) ?? fail('no sample');
    const type = types.get(family) ?? fail('a sample before its type');
    const allowed =
      type === 'histogram' ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family];
    if (!allowed.includes(name)) fail(`a sample outside its family ${family}`);
    const labels = labelsOf(inner ?? '', fail);
    if (!NUMBER.test(number)) fail('a value that is none');
    const value = Number(number.replace('Inf', 'Infinity'));
    if (type !== 'gauge' && !(value >= 0)) fail('a count below zero');
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) fail('a series that comes twice');
    seen.add(key);
    series.push({ name, labels, value });
  }
  for (const [name, type] of types) if (type === 'histogram') checkHistogram(name, series);
  return { series, types, help, ...queries(series) };
}

function labelsOf(inner: string, fail: (what: string) => never): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = inner; rest !== ''; ) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? fail('labels that are none');
    if (Object.hasOwn(labels, name) || name.startsWith('__')) fail('a label twice, or a reserved one');
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}

function checkHistogram(name: string, series: readonly Series[]): void {
  const buckets = series.filter((each) => each.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')));
  const counts = buckets.map(({ value }) => value);
  const rising = (values: readonly number[]) =>
    values.every((each, at) => at === 0 || each >= Number(values[at - 1]));
  const count = series.find((each) => each.name === `${name}_count`)?.value;
  const complete = bounds.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count;
  if (!rising(bounds) || !rising(counts) || !complete || !series.some((each) => each.name === `${name}_sum`))
    throw new Error(`${name} is no histogram: ${JSON.stringify(buckets)}`);
}

function queries(series: readonly Series[]): Pick<Scrape, 'value' | 'by'> {
  return {
    value: (name, labels = {}) => {
      const wanted = Object.entries(labels);
      return series.find(
        (each) =>
          each.name === name &&
          Object.keys(each.labels).length === wanted.length &&
          wanted.every(([label, value]) => each.labels[label] === value),
      )?.value;
    },
    by: (name, label) =>
      Object.fromEntries(
        series.filter((each) => each.name === name).map(({ labels, value }) => [labels[label] ?? '', value]),
      ),
  };
}
