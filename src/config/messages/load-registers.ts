import {
  compileMap,
  type DeclarationFinding,
  DeclaredProtocol,
  Findings,
  isFramed,
  lintName,
  lintProtocol,
  MAP_KEYS,
  MOST_OF_A_MAP,
  placeRegisters,
  REGISTER_KEYS,
  type RegisterDeclaration,
  type RegisterMap,
} from '../../protocol/index.ts';
import { explainIssues } from '../explain-issues.ts';
import type { Report } from '../report.ts';
import { declareKeys } from './keys.ts';
import { mapShape, registerShape } from './shape.ts';

type Keyed = Readonly<Record<string, unknown>>;

/** Whether a file holds a map of registers rather than messages. */
export const holdsRegisters = (root: Keyed): boolean =>
  root.registers !== undefined || typeof root.protocol === 'string';

/** Checks a map of registers, and compiles it to messages; undefined where any of it is wrong, which is reported then. */
export function checkRegisters(root: Keyed, report: Report): DeclaredProtocol | undefined {
  const registers = Array.isArray(root.registers) ? root.registers : undefined;
  if (registers !== undefined && registers.length > MOST_OF_A_MAP) {
    report.add({
      code: 'config_too_large',
      path: ['registers'],
      message: `The map has ${registers.length} registers, and at most ${MOST_OF_A_MAP} are taken.`,
      fix: 'Split it in two files, each for a device of its own.',
    });
    return undefined;
  }
  const parsed = mapShape.safeParse(root, { reportInput: true });
  for (const finding of explainIssues(mapShape, parsed.error?.issues ?? [])) {
    report.add({
      ...finding,
      fix: finding.fix.replace('docs/reference/devices-yaml.md', 'docs/reference/register-maps.md'),
    });
  }
  const head = mapShape.safeParse({ ...root, registers: [] }).data;
  if (registers === undefined || head === undefined) return undefined;
  if (!isFramed(head.protocol)) {
    report.add({
      code: 'config_bad_value',
      path: ['protocol'],
      message: `\`${head.protocol}\` is not supported yet.`,
      fix: 'Write modbus-rtu or modbus-tcp.',
    });
    return undefined;
  }
  const { right, indices } = rightOnes(registers);
  const map: RegisterMap = {
    protocol: head.protocol,
    ...declareKeys<typeof MAP_KEYS>(MAP_KEYS, head as Keyed, 'big'),
    enums: Object.fromEntries(
      Object.entries(head.enums ?? {}).map(([name, values]) => [
        name,
        typeof values === 'string' ? {} : values,
      ]),
    ),
    registers: right,
  };
  const add = ({ path: [first, index, ...rest], severity, ...finding }: DeclarationFinding): void => {
    const own = typeof index === 'number' ? indices[index] : index;
    const path = own === undefined ? [first ?? ''] : [first ?? '', own, ...rest];
    report.add({ ...finding, path, ...(severity === 'warning' ? { severity } : {}) });
  };
  return compiled(map, add, () => report.finish().problems.some(({ severity }) => severity === 'error'));
}

function compiled(
  map: RegisterMap,
  add: (finding: DeclarationFinding) => void,
  hasErrors: () => boolean,
): DeclaredProtocol | undefined {
  const names = new Findings();
  for (const [index, { name }] of map.registers.entries())
    lintName(name, ['registers', index, 'name'], 'The register', names);
  for (const finding of names.all) add(finding);
  const { placed, findings } = placeRegisters(map);
  for (const finding of findings) add(finding);
  if (hasErrors()) return undefined;
  if (placed.length === 0) {
    add({
      severity: 'error',
      code: 'config_missing_key',
      path: ['registers'],
      message: 'The map has no registers.',
      fix: 'Add for example `- { name: voltage, at: input:0, type: f32, unit: V }`.',
    });
    return undefined;
  }
  const { declaration, placeOf } = compileMap(map, placed);
  const seen = new Set<string>();
  for (const finding of lintProtocol(declaration)) {
    const place = placeOf(finding);
    // Of what no register says, only what keeps the map from working concerns its author.
    if (place === undefined && finding.severity === 'warning') continue;
    const path = place ?? (finding.path[0] === 'enums' ? finding.path : ['registers']);
    // A register that is read and written is looked at twice.
    const key = `${path.join('.')} ${finding.message}`;
    if (!seen.has(key)) add({ ...finding, path });
    seen.add(key);
  }
  return hasErrors() ? undefined : new DeclaredProtocol(declaration);
}

/** The registers whose keys are right, and where each stands in the file. */
function rightOnes(registers: readonly unknown[]): {
  readonly right: readonly RegisterDeclaration[];
  readonly indices: readonly number[];
} {
  const right: RegisterDeclaration[] = [];
  const indices: number[] = [];
  for (const [index, entry] of registers.entries()) {
    const register = registerShape.safeParse(entry);
    if (!register.success) continue;
    const keys: Keyed = register.data;
    const { read, write } = register.data;
    indices.push(index);
    // The shape lets nothing else pass.
    right.push({ ...declareKeys(REGISTER_KEYS, keys, 'big'), read, write } as unknown as RegisterDeclaration);
  }
  return { right, indices };
}
