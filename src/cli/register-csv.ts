import { stringify } from 'yaml';
import { HeartwireError } from '../errors.ts';

/** Columns of a table of registers, in the order in which they are written. */
const COLUMNS = [
  ...['name', 'at', 'type', 'scale', 'offset', 'unit', 'every', 'write', 'read', 'range', 'enum'],
  ...['description', 'more'],
] as const;

/** Other words for them in the tables of data sheets and programs. */
const OTHER_WORDS: Readonly<Record<string, (typeof COLUMNS)[number]>> = {
  address: 'at',
  register: 'at',
  factor: 'scale',
  units: 'unit',
  datatype: 'type',
  data_type: 'type',
  interval: 'every',
  poll: 'every',
  writable: 'write',
  label: 'description',
};

/** Words of other programs for types. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ uint16: 'u16', int16: 'i16', uint32: 'u32', int32: 'i32', uint64: 'u64', int64: 'i64' },
  ...{
    float: 'f32',
    float32: 'f32',
    double: 'f64',
    float64: 'f64',
    word: 'u16',
    dword: 'u32',
    string: 'text',
  },
};

const TABLES: Readonly<Record<string, string>> = {
  '0': 'coil',
  '1': 'discrete',
  '3': 'input',
  '4': 'holding',
};

const MOST_ROWS = 10_001;

type Register = Record<string, unknown>;

const bad = (row: number, message: string, seen: string, fix: string): HeartwireError =>
  new HeartwireError('bad_argument', `Row ${row}: ${message}`, { seen, fix });

/**
 * A register map, as text, of a table: commas, semicolons or tabs, the names of the columns in the first row; each
 * register stands on a line of its own.
 *
 * @throws HeartwireError `bad_argument` with the number of the row
 */
export function mapOfCsv(
  csv: string,
  protocol: string,
): { readonly yaml: string; readonly firstLine: number } {
  const rows = rowsOf(csv);
  const [head = [], ...body] = rows;
  const columns = head.map((cell) => {
    const word = cell
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_');
    const column = COLUMNS.find((each) => each === word) ?? OTHER_WORDS[word];
    if (column !== undefined || word === '') return column;
    throw bad(1, `there is no column "${cell}"`, cell, `There are ${COLUMNS.join(', ')}.`);
  });
  for (const needed of ['name', 'at'] as const) {
    if (columns.includes(needed)) continue;
    throw bad(1, `the column \`${needed}\` is missing`, head.join(), `There are ${COLUMNS.join(', ')}.`);
  }
  const lines = body.flatMap((cells, index) => {
    if (cells.every((cell) => cell.trim() === '')) return ['#'];
    const register: Register = {};
    for (const [at, column] of columns.entries()) {
      const cell = (cells[at] ?? '').trim();
      if (column !== undefined && cell !== '') Object.assign(register, keyOf(column, cell, index + 2));
    }
    return [`  - ${stringify(register, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()}`];
  });
  const top = ['version: 1', `protocol: ${protocol}`, 'registers:'];
  return { yaml: `${[...top, ...lines].join('\n')}\n`, firstLine: top.length + 1 };
}

function keyOf(column: (typeof COLUMNS)[number], cell: string, row: number): Register {
  switch (column) {
    case 'at':
      return { at: placeOf(cell) };
    case 'type':
      return { type: TYPES[cell.toLowerCase()] ?? cell };
    case 'scale':
    case 'offset': {
      const number = Number(cell);
      if (!Number.isNaN(number)) return { [column]: number };
      throw bad(row, `\`${column}\` is no number`, cell, 'Write it with a point, for example 0.1.');
    }
    case 'write':
    case 'read':
      if (/^(?:true|yes|y|x|1|rw|w)$/i.test(cell)) return { [column]: true };
      if (/^(?:false|no|n|0|r|ro|-)$/i.test(cell)) return column === 'read' ? { read: false } : {};
      throw bad(row, `\`${column}\` is neither true nor false`, cell, 'Write true or false.');
    case 'range': {
      const [, least = '', greatest = ''] = /^(\S*)\s*(?:\.\.|to)\s*(\S*)$/.exec(cell) ?? [];
      const bound = (text: string): number | null => (text === '' ? null : Number(text));
      if (least + greatest !== '' && ![bound(least), bound(greatest)].some(Number.isNaN))
        return { range: [bound(least), bound(greatest)] };
      throw bad(row, '`range` is no range', cell, 'Write for example 5..45.');
    }
    case 'enum': {
      if (!cell.includes('=')) return { enum: cell };
      const pairs = cell.split(';').map((each) => each.split('=').map((part) => part.trim()));
      return { enum: Object.fromEntries(pairs.map(([value = '', name = '']) => [value, name])) };
    }
    case 'more':
      return parsed(cell, row);
    default:
      return { [column]: cell };
  }
}

function parsed(cell: string, row: number): Register {
  try {
    const value: unknown = JSON.parse(cell);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw bad(row, '`more` is no JSON object', cell, 'Write for example {"limits":{"warn":[207,253]}}.');
}

/** Data sheets number registers from 30001 or 400001. */
function placeOf(cell: string): string {
  const [, table = '', digits = ''] = /^([0134])(\d{4,5})$/.exec(cell) ?? [];
  const number = Number(digits);
  return number >= 1 && number <= 65_536 ? `${TABLES[table]}:${number - 1}` : cell;
}

/** The rows of a table, with quoted cells; the separator is the one that the first row has most of. */
function rowsOf(csv: string): readonly (readonly string[])[] {
  const text = csv.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const first = text.split('\n', 1)[0] ?? '';
  const separator = [',', ';', '\t'].reduce((a, b) =>
    first.split(b).length > first.split(a).length ? b : a,
  );
  const rows: string[][] = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted && character === '"' && text.charAt(at + 1) === '"') {
      cell += '"';
      at++;
    } else if (character === '"' && (quoted || cell === '')) quoted = !quoted;
    else if (quoted || (character !== separator && character !== '\n')) cell += character;
    else {
      rows.at(-1)?.push(cell);
      cell = '';
      if (character === '\n') rows.push([]);
      if (rows.length > MOST_ROWS)
        throw bad(rows.length, 'there are more rows than a map has', '', 'Split it.');
    }
  }
  if (quoted) throw bad(rows.length, 'a quote is not closed', '', 'Close it, or double it within a cell.');
  if (cell !== '' || (rows.at(-1)?.length ?? 0) > 0) rows.at(-1)?.push(cell);
  if ((rows.at(-1)?.length ?? 0) === 0) rows.pop();
  return rows;
}

/** The table of a register map, from its registers as they stand in the file. */
export function csvOfMap(registers: readonly Register[]): string {
  const rows = registers.map(({ name, at, type, scale, offset, unit, every, write, read, ...rest }) => {
    const { range, enum: names, description, ...more } = rest;
    const cells = { name, at, type, scale, offset, unit, every, write, read, description };
    return COLUMNS.map((column) => {
      switch (column) {
        case 'range':
          return Array.isArray(range) ? `${range[0] ?? ''}..${range[1] ?? ''}` : '';
        case 'enum':
          return typeof names === 'object' && names !== null ? pairsOf(names) : textOf(names);
        case 'more':
          return Object.keys(more).length === 0 ? '' : JSON.stringify(more);
        default:
          return textOf(cells[column]);
      }
    });
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(quotedCell).join(',')}\n`).join('');
}

const pairsOf = (names: object): string =>
  Object.entries(names)
    .map(([value, name]) => `${value}=${name}`)
    .join(';');

const textOf = (value: unknown): string => (value === undefined ? '' : String(value));

const quotedCell = (cell: string): string =>
  /[",\n\r;\t]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
