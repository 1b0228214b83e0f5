import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Window, windowOf } from './virtual-window.ts';

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
    // Paper has no scrolling: all of it is drawn.
    const all = (): void => {
      shown.value = { first: 0, end: lines };
    };
    look();
    addEventListener('beforeprint', all);
    addEventListener('afterprint', look);
    addEventListener('scroll', ask, { passive: true });
    addEventListener('resize', ask);
    return () => {
      removeEventListener('beforeprint', all);
      removeEventListener('afterprint', look);
      removeEventListener('scroll', ask);
      removeEventListener('resize', ask);
    };
  }, [lineHeight, lines, shown]);
  return { ref, window: shown.value };
}
