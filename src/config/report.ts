import { maskedAddress, mayBeSecret } from './mask-secrets.ts';
import type { BridgeConfig } from './model.ts';
import { type Finding, formatPath, type Path, type Problem } from './problem.ts';
import { isKeyed, type SyntaxFinding, type YamlSource } from './yaml-source.ts';

/** A device that is configured and cannot be run. */
export interface FailedDevice {
  readonly id: string;
  /** The errors of this device, at least one. */
  readonly problems: readonly Problem[];
}

export interface LoadedConfig {
  /**
   * What can be run. It is complete where no problem is an error; where errors concern single devices or listeners
   * only, it holds all the others. Absent where the file as a whole, `server` or `defaults` cannot be used.
   */
  readonly config?: BridgeConfig;
  /** Devices to be shown as failed beside those of `config`; one without a usable id of its own is not here. */
  readonly failed: readonly FailedDevice[];
  /** Everything that was found, in the order of the file. */
  readonly problems: readonly Problem[];
}

/** Collects what is found, and knows which parts of the file it spoils. */
export class Report {
  readonly #source: YamlSource;
  readonly #file: string;
  readonly #problems: Problem[] = [];
  /** Paths with an error, by the entry (`devices[3]`) or top-level key that holds them. */
  readonly #spoiled = new Map<string, Path[]>();
  readonly #consequences = new Set<string>();
  #fatal = false;

  constructor(source: YamlSource, file: string) {
    this.#source = source;
    this.#file = file;
  }

  /** Something that YAML does not allow. */
  syntax(finding: SyntaxFinding): void {
    this.#push(finding, this.#source.placeAt(finding.offset));
  }

  add(finding: Finding): void {
    const { path, atKey } = finding;
    this.#push(finding, this.#source.placeOf(path, atKey));
    // The key that was meant is not missing as well.
    if (finding.meant !== undefined) this.#spoil([...path.slice(0, -1), finding.meant]);
  }

  /** Adds what does not merely follow from an error that is already known, and nothing twice; says whether it did. */
  addConsequence(finding: Finding): boolean {
    const { severity, code, path, unless = [] } = finding;
    const key = `${code} ${formatPath(path)}`;
    if (this.#consequences.has(key)) return false;
    if (severity !== 'warning' && [path, ...unless].some((each) => this.#isSpoiled(each))) return false;
    this.#consequences.add(key);
    this.add(finding);
    return true;
  }

  hasErrorIn(entry: Path): boolean {
    return (this.#spoiled.get(entryOf(entry)) ?? []).some((path) => path.length >= entry.length);
  }

  /** The keys at `path`, a copy without what is known to be wrong; undefined where that is all of it. */
  without(path: Path, value: unknown): object | undefined {
    if (!isKeyed(value)) return undefined;
    const bad = this.#spoiled.get(entryOf(path));
    if (bad === undefined) return value;
    if (bad.some((each) => each.length <= path.length)) return undefined;
    const copy = structuredClone(value);
    for (const each of bad) removeAt(copy, each.slice(path.length));
    return copy;
  }

  finish(config?: BridgeConfig): LoadedConfig {
    const problems = this.#problems.sort((a, b) => a.line - b.line || a.column - b.column);
    if (this.#fatal || config === undefined) return { failed: [], problems };
    const good = new Set(config.devices.map((device) => device.id));
    const failed = new Map<string, Problem[]>();
    for (const problem of problems) {
      const { device, severity } = problem;
      if (severity === 'warning' || device === undefined || device.includes('[') || good.has(device))
        continue;
      failed.set(device, [...(failed.get(device) ?? []), problem]);
    }
    return { config, failed: [...failed].map(([id, theirs]) => ({ id, problems: theirs })), problems };
  }

  #push(finding: Finding | SyntaxFinding, place: { readonly line: number; readonly column: number }): void {
    const { severity = 'error', code, path, message } = finding;
    const found = finding.atKey || mayBeSecret(path) ? undefined : this.#source.seenAt(path);
    const seen = found !== undefined && path.at(-1) === 'url' ? maskedAddress(found) : found;
    const fix = code === 'config_unquoted' && seen !== undefined ? `Quote it: "${seen}".` : finding.fix;
    const device = this.#deviceAt(path);
    if (severity === 'error') {
      this.#spoil(path);
      if (typeof path[1] !== 'number') this.#fatal = true;
    }
    this.#problems.push({
      severity,
      file: this.#file,
      ...place,
      path: formatPath(path),
      code,
      message,
      ...(seen === undefined || seen === '' ? {} : { seen }),
      fix,
      ...(device === undefined ? {} : { device }),
    });
  }

  #spoil(path: Path): void {
    const entry = entryOf(path);
    const known = this.#spoiled.get(entry);
    if (known === undefined) this.#spoiled.set(entry, [path]);
    else known.push(path);
  }

  #isSpoiled(path: Path): boolean {
    return (this.#spoiled.get(entryOf(path)) ?? []).some((bad) => {
      const shorter = Math.min(bad.length, path.length);
      for (let i = 0; i < shorter; i++) if (bad[i] !== path[i]) return false;
      return true;
    });
  }

  #deviceAt(path: Path): string | undefined {
    if (path[0] !== 'devices' || typeof path[1] !== 'number') return undefined;
    const root = this.#source.value;
    const devices = isKeyed(root) ? root.devices : undefined;
    const entry: unknown = Array.isArray(devices) ? devices[path[1]] : undefined;
    const id = isKeyed(entry) ? entry.id : undefined;
    return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) ? id : formatPath(path.slice(0, 2));
  }
}

function entryOf(path: Path): string {
  return formatPath(path.slice(0, typeof path[1] === 'number' ? 2 : 1));
}

/** Removes a key; of a list, the whole list, because its other entries would change places. */
function removeAt(value: unknown, path: Path): void {
  let at = value;
  for (const [depth, part] of path.entries()) {
    if (!isKeyed(at) || !Object.hasOwn(at, part)) return;
    const next = at[part];
    if (depth === path.length - 1 || !isKeyed(next)) {
      delete at[part];
      return;
    }
    at = next;
  }
}
