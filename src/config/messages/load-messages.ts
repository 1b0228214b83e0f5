import { type ByteOrder, DeclaredProtocol, lintProtocol } from '../../protocol/index.ts';
import { explainIssues } from '../explain-issues.ts';
import type { Finding, Problem } from '../problem.ts';
import { LARGEST_MESSAGES, readDocument } from '../read-document.ts';
import type { Report } from '../report.ts';
import { isKeyed } from '../yaml-source.ts';
import { declareProtocol } from './declare.ts';
import { checkRegisters, holdsRegisters } from './load-registers.ts';
import { type ReadFraming, readFraming, readFramings } from './read-framing.ts';
import { type FileShape, headShape, messageShape } from './shape.ts';

/** Keys of `protocol:` that name messages. */
const SESSION_PATHS = new Set<unknown>(['session', 'sequence']);

export interface LoadedMessages {
  /** Absent where any problem is an error. */
  readonly protocol?: DeclaredProtocol;
  /** Everything that was found, in the order of the file. */
  readonly problems: readonly Problem[];
}

/** Whether a text is a `messages.yaml` rather than a `devices.yaml`: its `messages:` are a list of its own. */
export function looksLikeMessages(text: string): boolean {
  return (
    /^(?:messages:[ \t]*(?:\[|#|\r?$)|(?:protocol|enums|errors|registers):)/m.test(text) &&
    !/^(?:devices|listeners|server|defaults):/m.test(text)
  );
}

/** Reads the text of a `messages.yaml` and checks all of it. `file` is the name that problems carry. */
export function loadMessages(text: string, file: string): LoadedMessages {
  const read = readDocument(text, file, {
    begin: 'Begin with `version: 1` and `messages:`.',
    keys: [...Object.keys(headShape.shape), 'registers'],
    largest: LARGEST_MESSAGES,
    yaml: { numericKeys: true },
  });
  if ('problem' in read) return { problems: [read.problem] };
  const { report, root } = read;
  const checkFile = root !== undefined && holdsRegisters(root) ? checkRegisters : check;
  const protocol = root === undefined ? undefined : checkFile(root, report);
  const { problems } = report.finish();
  if (protocol === undefined || problems.some(({ severity }) => severity === 'error')) return { problems };
  return { protocol, problems };
}

/** The framing, or the several framings, that a file declares. */
function framingOf(given: Readonly<Record<string, unknown>>, byteOrder: ByteOrder): ReadFraming {
  const { framing, framings } = given;
  if (framings === undefined)
    return framing === undefined
      ? { findings: [] }
      : readFraming(framing, byteOrder, ['protocol', 'framing']);
  const read = readFramings(framings, byteOrder, ['protocol', 'framings']);
  if (framing === undefined) return read;
  const both: Finding = {
    code: 'config_conflict',
    path: ['protocol', 'framing'],
    message: 'There are `framings` as well.',
    fix: 'Make it one of them, with a name.',
  };
  return { findings: [...read.findings, both] };
}

/** Checks the shape of every part by itself, then what the parts that are right mean together. */
function check(root: Readonly<Record<string, unknown>>, report: Report): DeclaredProtocol | undefined {
  const parsed = headShape.safeParse(root, { reportInput: true });
  for (const finding of explainIssues(headShape, parsed.error?.issues ?? [])) {
    report.add({
      ...finding,
      fix: finding.fix.replace('docs/reference/devices-yaml.md', 'docs/reference/messages.md'),
    });
  }
  const wrong = new Set(parsed.error?.issues.map(({ path }) => path[0]));
  const given = isKeyed(root.protocol) ? root.protocol : {};
  const byteOrder = given.byte_order === 'little' ? 'little' : 'big';
  const framing = framingOf(given, byteOrder);
  for (const finding of framing.findings) report.add(finding);
  const headWrong = framing.findings.length > 0 || [...wrong].some((key) => key !== 'messages');
  if (headWrong || !Array.isArray(root.messages)) return undefined;

  const indices: number[] = [];
  const messages: Readonly<Record<string, unknown>>[] = [];
  for (const [index, entry] of root.messages.entries()) {
    const message = messageShape.safeParse(entry);
    if (!message.success) continue;
    indices.push(index);
    messages.push(message.data);
  }
  const file = headShape.safeParse({ ...root, messages: [] }).data satisfies FileShape | undefined;
  if (file === undefined) return undefined;
  const declaration = declareProtocol(file, framing.framing, messages);
  for (const { path, severity, ...finding } of lintProtocol(declaration)) {
    const [first, index, ...rest] = path;
    const here =
      first === 'messages' && typeof index === 'number' ? [first, indices[index] ?? index, ...rest] : path;
    // What another message lacks may stand in one that could not be read.
    const elsewhere =
      rest[0] === 'confirms' || rest[0] === 'rejects' || SESSION_PATHS.has(path[1] ?? path[0]);
    if ((elsewhere || first === 'answers') && messages.length < root.messages.length) continue;
    report.add({ ...finding, path: here, ...(severity === 'warning' ? { severity } : {}) });
  }
  if (report.finish().problems.some(({ severity }) => severity === 'error')) return undefined;
  return new DeclaredProtocol(declaration);
}
