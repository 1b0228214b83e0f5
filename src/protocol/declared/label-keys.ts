/** For people, and for nothing else. */
export const description = {
  kind: 'word',
  what: 'a text',
  example: 'At the sink.',
  description: 'For people.',
  examples: ['At the sink.'],
} as const;

/** What people read instead of a name, in any language. */
export const label = {
  kind: 'word',
  what: 'a text',
  example: '"Vorlauf"',
  description: 'What people see in place of the name, in any language.',
  examples: ['Vorlauf', '\u6e29\u5ea6'],
} as const;

export const group = {
  kind: 'word',
  what: 'a text',
  example: '"Kessel"',
  description: 'A heading under which people see it, with others of the same.',
  examples: ['Kessel'],
} as const;
