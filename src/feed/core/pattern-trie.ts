import { needsLiteralEnd } from '../../contract/wire/index.ts';

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly values: Set<T>;
}

/** Values by pattern; matching a topic costs by its levels, not by the number of patterns. */
export class PatternTrie<T> {
  readonly #root: Node<T> = newNode();

  add(pattern: string, value: T): void {
    let node = this.#root;
    for (const level of pattern.split('/')) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = newNode();
        node.children.set(level, child);
      }
      node = child;
    }
    node.values.add(value);
  }

  /** Also removes branches that are empty then. */
  delete(pattern: string, value: T): void {
    const path: Array<readonly [Node<T>, string]> = [];
    let node = this.#root;
    for (const level of pattern.split('/')) {
      const child = node.children.get(level);
      if (child === undefined) return;
      path.push([node, level]);
      node = child;
    }
    node.values.delete(value);
    for (const [parent, level] of path.reverse()) {
      if (node.values.size > 0 || node.children.size > 0) return;
      parent.children.delete(level);
      node = parent;
    }
  }

  /** The values of all patterns that cover the topic, each once. */
  match(levels: readonly string[]): Set<T> {
    const found = new Set<T>();
    collect(this.#root, levels, 0, needsLiteralEnd(levels), found);
    return found;
  }

  /** Whether any pattern covers the topic. */
  covers(levels: readonly string[]): boolean {
    return covers(this.#root, levels, 0, needsLiteralEnd(levels));
  }
}

/** A trie that only says whether any pattern covers a topic. */
export function trieOf(patterns: readonly string[]): PatternTrie<true> {
  const trie = new PatternTrie<true>();
  for (const pattern of patterns) trie.add(pattern, true);
  return trie;
}

function newNode<T>(): Node<T> {
  return { children: new Map(), values: new Set() };
}

function collect<T>(
  node: Node<T>,
  levels: readonly string[],
  depth: number,
  literalEnd: boolean,
  found: Set<T>,
): void {
  if (!literalEnd) for (const value of node.children.get('#')?.values ?? []) found.add(value);
  const level = levels[depth];
  if (level === undefined) {
    for (const value of node.values) found.add(value);
    return;
  }
  const exact = node.children.get(level);
  if (exact !== undefined) collect(exact, levels, depth + 1, literalEnd, found);
  const any = literalEnd && depth === levels.length - 1 ? undefined : node.children.get('+');
  if (any !== undefined) collect(any, levels, depth + 1, literalEnd, found);
}

function covers<T>(node: Node<T>, levels: readonly string[], depth: number, literalEnd: boolean): boolean {
  if (!literalEnd && node.children.has('#')) return true;
  const level = levels[depth];
  if (level === undefined) return node.values.size > 0;
  const exact = node.children.get(level);
  if (exact !== undefined && covers(exact, levels, depth + 1, literalEnd)) return true;
  const any = literalEnd && depth === levels.length - 1 ? undefined : node.children.get('+');
  return any !== undefined && covers(any, levels, depth + 1, literalEnd);
}
