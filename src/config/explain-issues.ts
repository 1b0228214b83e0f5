import { z } from 'zod';
import type { FieldFinding } from './field.ts';
import { capital, nameKind } from './field.ts';
import type { Finding, Path } from './problem.ts';
import { suggest } from './suggest.ts';

/** Keys that are described for this product and that this version cannot serve. */
const UNSUPPORTED = new Set(['tcp']);

/** What people write who know other programs, or an older text of ours. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  address: 'link',
  baudrate: 'baud',
  baud_rate: 'baud',
  name: 'id',
  port: 'link',
  timezone: 'time_zone',
  url: 'link',
  uuid: 'appid',
};

const LONGEST_LIST = 8;

/** Says of everything that does not fit the shape where it is, what it is, and what to write instead. */
export function explainIssues(shape: z.ZodType, issues: readonly z.core.$ZodIssue[]): Finding[] {
  return issues.flatMap((issue) => explain(shape, issue, []));
}

function explain(shape: z.ZodType, issue: z.core.$ZodIssue, above: Path): Finding[] {
  const path: Path = [
    ...above,
    ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
  ];
  switch (issue.code) {
    case 'custom': {
      const finding = fieldFindingOf(issue);
      if (finding === undefined) break;
      const { code, message, mend } = finding;
      return [{ code, path, message, mend }];
    }
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainKey(shape, path, key));
    case 'invalid_union': {
      // Only `false | {...}` is left to a union: what a group of keys gets wrong says more than that it is not false.
      const deeper = issue.errors.find((branch) =>
        branch.some((each) => each.path.length > 0 || each.code === 'unrecognized_keys'),
      );
      if (deeper !== undefined) return deeper.flatMap((each) => explain(shape, each, path));
      const words = wordsOf(issue);
      if (words.length > 0) {
        return [
          {
            code: 'config_bad_value',
            path,
            message: 'This is none of the possible values.',
            mend: `Write ${words.join(', ')}, or ${keysOf(shape, path)
              .map((key) => `\`${key}:\``)
              .join(' and ')} below it, indented.`,
          },
        ];
      }
      return [
        {
          code: 'config_bad_type',
          path,
          message: 'A group of keys, or false, is expected here.',
          mend: `Write ${keysOf(shape, path)
            .map((key) => `\`${key}:\``)
            .join(' or ')} below it, indented, or false to switch it off.`,
        },
      ];
    }
    case 'invalid_type': {
      const keys = keysOf(shape, path);
      const list = issue.expected === 'array';
      return [
        {
          code: 'config_bad_type',
          path,
          message: `${capital(list ? 'a list' : 'a group of keys')} is expected here, and ${nameKind(issue.input)} was found.`,
          mend: list
            ? 'Begin each entry on a line of its own with `- `.'
            : `Write ${keys.length > 0 && keys.length < 6 ? keys.map((key) => `\`${key}:\``).join(', ') : 'its keys'} below it, indented.`,
        },
      ];
    }
    default:
      break;
  }
  return [
    { code: 'config_bad_value', path, message: `${issue.message}.`, mend: 'See docs/devices-yaml.md.' },
  ];
}

/** The words among the branches of a union. */
function wordsOf({ errors }: z.core.$ZodIssueInvalidUnion): string[] {
  return errors
    .flat()
    .flatMap((each) => (each.code === 'invalid_value' ? each.values : []))
    .filter((value) => typeof value === 'string');
}

function fieldFindingOf(issue: z.core.$ZodIssueCustom): FieldFinding | undefined {
  // Only `field` makes custom issues, and it always puts its finding there.
  return issue.params?.finding as FieldFinding | undefined;
}

function explainKey(shape: z.ZodType, path: Path, key: string): Finding {
  const here = [...path, key];
  if (UNSUPPORTED.has(key)) {
    return {
      code: 'config_unsupported',
      path: here,
      atKey: true,
      message: `\`${key}\` is not supported by this version of Heartwire.`,
      mend: 'Remove it.',
    };
  }
  const known = keysOf(shape, path);
  const other = OTHER_NAMES[key.toLowerCase().replace(/-/g, '_')];
  const meant = other !== undefined && known.includes(other) ? other : suggest(key, known);
  const elsewhere = meant === undefined ? placesOf(shape, key) : undefined;
  let mend =
    known.length <= LONGEST_LIST
      ? `Possible are ${known.join(', ')}.`
      : 'Remove it; docs/devices-yaml.md lists the keys that exist.';
  if (meant !== undefined) mend = `Did you mean \`${meant}\`?`;
  else if (elsewhere !== undefined) mend = `It belongs below ${elsewhere}.`;
  return {
    code: 'config_unknown_key',
    path: here,
    atKey: true,
    message: `There is no key \`${key}\` here.`,
    mend,
    ...(meant === undefined ? {} : { meant }),
  };
}

/** Where a key that stands in the wrong place would be right, as far as that is one place. */
function placesOf(shape: z.ZodType, key: string): string | undefined {
  const places = [
    ['devices', 0],
    ['listeners', 0],
    ['server'],
    ['devices', 0, 'heartbeat'],
    ['devices', 0, 'register'],
    ['devices', 0, 'match'],
    ['devices', 0, 'clock'],
    ['devices', 0, 'reconnect'],
  ].filter((path) => keysOf(shape, path).includes(key));
  const [first, second] = places;
  if (first === undefined || second !== undefined) return undefined;
  const last = first.at(-1);
  return last === 0 ? `an entry of \`${first[0]}:\`` : `\`${last}:\``;
}

/** The keys that may stand at a path. */
function keysOf(shape: z.ZodType, path: Path): string[] {
  let at: z.core.$ZodType = shape;
  for (const part of path) {
    const inner = bare(at);
    if (inner instanceof z.ZodArray) at = inner.element;
    else if (inner instanceof z.ZodObject) {
      const next: z.core.$ZodType | undefined = inner.shape[part];
      if (next === undefined) return [];
      at = next;
    } else return [];
  }
  const inner = bare(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return bare(schema.unwrap());
  if (schema instanceof z.ZodUnion) {
    return (
      schema.options.map(bare).find((option: z.core.$ZodType) => option instanceof z.ZodObject) ?? schema
    );
  }
  return schema;
}
