/** As much of JSON Schema as the documentation shows. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The rows of the tables of keys: every described key below its group, without framing, which has a page of its own. */
export function documentRows(root: Schema): readonly string[] {
  const rows: string[] = [];
  const visit = (schema: Schema | undefined, path: string): void => {
    for (const [key, value] of Object.entries(schema?.properties ?? {})) {
      const preset = value.default;
      const shown =
        preset === undefined ? '' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
      if (value.description !== undefined)
        rows.push(`| \`${path}${key}\` | ${shown} | ${value.description} |`);
      if (key === 'framing') continue;
      for (const each of [value, value.items, ...(value.anyOf ?? [])]) visit(each, `${path}${key}.`);
    }
  };
  const { messages, ...head } = root.properties ?? {};
  visit({ properties: head }, '');
  visit({ properties: messages === undefined ? {} : { messages } }, '');
  for (const shape of Object.values(root.$defs ?? {})) visit(shape, '');
  return [...new Set(rows)].map((row) => row.replace('| `messages.', '| `'));
}
