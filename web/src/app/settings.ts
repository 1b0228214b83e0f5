import { effect, signal } from '@preact/signals';

/** What people set once and keep: in the storage of the browser where there is one. */
export type Theme = 'auto' | 'light' | 'dark';

/** A value that outlives the page. */
export function kept<T extends string>(key: string, among: readonly T[], first: T) {
  const stored = read(key);
  const value = signal<T>(among.find((each) => each === stored) ?? first);
  effect(() => write(key, value.value));
  return value;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(`heartwire-${key}`);
  } catch {
    // No storage in a page that is a file, or where it is switched off.
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`heartwire-${key}`, value);
  } catch {
    // As above: the setting lasts as long as the page.
  }
}

export const theme = kept<Theme>('theme', ['auto', 'light', 'dark'], 'auto');

effect(() => {
  const { documentElement } = document;
  if (theme.value === 'auto') delete documentElement.dataset.theme;
  else documentElement.dataset.theme = theme.value;
});
