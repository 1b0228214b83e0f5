/**
 * What is to be known of a value, by its path `message.field`: its own entry in the `quality` of a state, or that of the
 * nearest structure around it. Undefined where it is simply good.
 */
export function qualityOf<Quality>(
  quality: Readonly<Record<string, Quality>>,
  path: string,
): Quality | undefined {
  // An entry always has a dot, so that no name of Object's own is found.
  for (let at = path; at.includes('.'); at = at.slice(0, at.lastIndexOf('.'))) {
    const own = quality[at];
    if (own !== undefined) return own;
  }
  return undefined;
}
