/** Levels of a topic at most. */
export const MAX_LEVELS = 8;
/** Characters of a topic or pattern at most. */
export const MAX_TOPIC_LENGTH = 512;

/** Control characters and lone surrogates would not survive logs, keys and UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\u0000-\u001f\u007f]|\p{Surrogate}/u;

/** What is wrong with a topic as a sentence, or undefined where it is one. */
export function topicProblem(topic: string): string | undefined {
  const problem = levelsProblem(topic);
  if (problem !== undefined) return problem;
  return /[+#]/.test(topic) ? `"${topic}" holds a wildcard, and only patterns may` : undefined;
}

/** What is wrong with a pattern as a sentence, or undefined where it is one. */
export function patternProblem(pattern: string): string | undefined {
  const problem = levelsProblem(pattern);
  if (problem !== undefined) return problem;
  const levels = pattern.split('/');
  for (const [index, level] of levels.entries()) {
    if (level === '+') continue;
    if (level === '#') {
      if (index !== levels.length - 1) return `"#" must be the last level of "${pattern}"`;
    } else if (/[+#]/.test(level)) return `a wildcard must be a whole level in "${pattern}"`;
  }
  return undefined;
}

export function hasWildcard(pattern: string): boolean {
  return pattern.includes('+') || pattern.endsWith('#');
}

/**
 * Raw bytes are many, and no client gets them by accident: a topic `devices/<id>/bytes` is matched only by a pattern
 * whose last level says so.
 */
export function needsLiteralEnd(levels: readonly string[]): boolean {
  return levels.length === 3 && levels[0] === 'devices' && levels[2] === 'bytes';
}

/** `devices/<id>/alarms`, which goes before everything but answers. */
export function isAlarms(topic: string): boolean {
  return topic.endsWith('/alarms') && topic.startsWith('devices/');
}

/** `devices/<id>/messages`, whose events have parts that come only on request. */
export function isMessages(topic: string): boolean {
  return topic.endsWith('/messages') && topic.startsWith('devices/');
}

/** Whether a pattern covers a topic: `+` is one level, `#` the rest, which may be nothing. Both must be valid. */
export function matchesTopic(pattern: string, topic: string): boolean {
  if (pattern === topic) return true;
  return matchesLevels(pattern.split('/'), topic.split('/'));
}

/** `matchesTopic` for what is split already. */
function matchesLevels(pattern: readonly string[], topic: readonly string[]): boolean {
  if (needsLiteralEnd(topic) && (pattern.length !== 3 || pattern[2] !== 'bytes')) return false;
  for (const [index, level] of pattern.entries()) {
    if (level === '#') return true;
    if (index >= topic.length || (level !== '+' && level !== topic[index])) return false;
  }
  return pattern.length === topic.length;
}

function levelsProblem(text: string): string | undefined {
  if (text === '') return 'a topic is at least one level';
  if (text.length > MAX_TOPIC_LENGTH) return `a topic has at most ${MAX_TOPIC_LENGTH} characters`;
  if (FORBIDDEN.test(text)) return 'a topic holds no control characters';
  const levels = text.split('/');
  if (levels.includes('')) return `"${text}" has an empty level`;
  if (levels.length > MAX_LEVELS)
    return `"${text}" has ${levels.length} levels, at most ${MAX_LEVELS} are allowed`;
  return undefined;
}
