import { z } from 'zod';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  MAX_LEVELS,
  MAX_TOPIC_LENGTH,
  patternProblem,
  topicProblem,
} from '../wire/index.ts';

/*
 * The types of which the messages and documents of the feed are made. A type of a client's message carries the
 * sentence with which a wrong value is refused; what only the server writes needs none.
 */

/** Any JSON. */
export const json = (description?: string) => described(z.custom<Json>(isPresent), description);

const isPresent = (value: unknown): boolean => value !== undefined;

/** An object of JSON whose keys are not declared here. */
export const jsonObject = (description?: string, problem?: string) =>
  z
    .custom<JsonObject>((value) => isJsonObject(value as Json), problem)
    .meta({ type: 'object', ...(description === undefined ? {} : { description }) });

/** A moment: milliseconds since the Unix epoch. */
export const instant = (description = 'Milliseconds since the Unix epoch.') =>
  z.number().meta({ description });

/** A whole number from 0 that a double holds exactly. */
export const count = (description?: string) => described(z.int().min(0), description);

export const list = <T extends z.ZodType>(items: T, description?: string) =>
  described(z.array(items).readonly(), description);

/** A text that is not empty, refused with `problem` otherwise. */
export const filledText = (problem: string, description: string) =>
  z.string(problem).min(1, problem).meta({ description });

export const flag = (problem: string, description: string) => z.boolean(problem).meta({ description });

/** Revisions by epoch: how far a feed is followed. */
export const position = (description: string) =>
  z.record(z.string(), count()).readonly().meta({ description });

/** One of the words that a table explains. */
export const oneOf = <T extends Readonly<Record<string, string>>>(words: T) =>
  z.enum(Object.keys(words) as (keyof T & string)[]);

/** A reason, as a code and for people. */
export const why = {
  reason: z.string().meta({ description: 'A code of docs/reference/errors.md.' }).exactOptional(),
  detail: z.string().meta({ description: 'For people.' }).exactOptional(),
};

const LEVEL = '[^/+#\\u0000-\\u001f\\u007f]+';
const further = (level: string) => `(?:${level}/){0,${MAX_LEVELS - 1}}`;

/** A topic without wildcards. */
const TOPIC = {
  maxLength: MAX_TOPIC_LENGTH,
  pattern: `^${further(LEVEL)}${LEVEL}$`,
  description: `Up to ${MAX_LEVELS} levels with \`/\` between them.`,
};
const PATTERN = {
  maxLength: MAX_TOPIC_LENGTH,
  pattern: `^${further(`(?:\\+|${LEVEL})`)}(?:\\+|#|${LEVEL})$`,
  description: 'A topic in which `+` stands for one level, and `#`, as the last one, for the rest.',
};

/** A list of topics or patterns, each once. */
function topicList(problemOf: (topic: string) => string | undefined, meta: typeof TOPIC, most?: number) {
  const text = z.string('"topics" must be a list of strings.').superRefine((topic, context) => {
    const problem = problemOf(topic);
    if (problem === undefined) return;
    context.addIssue({ code: 'custom', message: `${problem}.`, params: { code: 'bad_topic' } });
  });
  const empty = '"topics" must be a list of one or more strings.';
  return z
    .array(text.meta({ ...meta }), empty)
    .min(1, empty)
    .transform((topics): readonly string[] => [...new Set(topics)])
    .refine((topics) => topics.length <= (most ?? Number.POSITIVE_INFINITY), {
      message: `"topics" may name at most ${most} at once.`,
    })
    .meta(most === undefined ? {} : { maxItems: most });
}

export const patterns = () => topicList(patternProblem, PATTERN);
export const topics = (most: number) => topicList(topicProblem, TOPIC, most);

function described<T extends z.ZodType>(type: T, description: string | undefined): T {
  return description === undefined ? type : type.meta({ description });
}
