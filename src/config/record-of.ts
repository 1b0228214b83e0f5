import type { DefaultsShape } from './shape.ts';

/** Whether it is recorded, where it or `defaults` says. */
export function recordOf(
  given: { readonly record?: boolean | undefined },
  defaults: DefaultsShape,
): { readonly record?: boolean } {
  const record = given.record ?? defaults.record;
  return record === undefined ? {} : { record };
}
