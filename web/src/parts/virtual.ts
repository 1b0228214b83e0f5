import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Window {
  /** The first line that is drawn, and the one behind the last. */
  readonly first: number;
  readonly end: number;
}

/** Which lines of one height are on the screen, and a few around them. */
export function windowOf(
  top: number,
  viewHeight: number,
  lineHeight: number,
  lines: number,
  around = 6,
): Window {
  const first = Math.max(0, Math.floor(-top / lineHeight) - around);
  const end = Math.min(lines, Math.ceil((viewHeight - top) / lineHeight) + around);
  return { first: Math.min(first, lines), end: Math.max(end, Math.min(first, lines)) };
}

/** Follows the scrolling of the page; the element that holds the lines goes to `ref`. */
export function useLines<T extends HTMLElement>(
  lineHeight: number,
  lines: number,
): { readonly ref: RefObject<T | null>; readonly window: Window } {
  const ref = useRef<T>(null);
  const shown = useSignal<Window>({
    first: 0,
    end: Math.min(lines, Math.ceil(innerHeight / lineHeight) + 6),
  });
  useEffect(() => {
    const look = (): void => {
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const next = windowOf(top, innerHeight, lineHeight, lines);
      const { first, end } = shown.peek();
      if (next.first !== first || next.end !== end) shown.value = next;
    };
    let asked = false;
    const ask = (): void => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        look();
      });
    };
    look();
    addEventListener('scroll', ask, { passive: true });
    addEventListener('resize', ask);
    return () => {
      removeEventListener('scroll', ask);
      removeEventListener('resize', ask);
    };
  }, [lineHeight, lines, shown]);
  return { ref, window: shown.value };
}
