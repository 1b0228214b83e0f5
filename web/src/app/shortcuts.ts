import { openPalette } from './palette-state.ts';

type Action = () => void;

/** What a key does now, beside those of the browser; the page that is open adds its own. */
const actions = new Map<string, Action>();

/** Gives a key a meaning; returns what takes it away again. */
export function onKey(key: string, action: Action): () => void {
  const before = actions.get(key);
  actions.set(key, action);
  return () => {
    if (actions.get(key) !== action) return;
    if (before === undefined) actions.delete(key);
    else actions.set(key, before);
  };
}

/** Keys count where nothing is being typed. */
export function startShortcuts(): () => void {
  const offPalette = onKey('/', openPalette);
  const pressed = (event: KeyboardEvent): void => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const typing =
      target instanceof Element && target.closest('input, select, textarea, [contenteditable]') !== null;
    if (typing || altKey || (ctrlKey || metaKey) !== (key === 'k')) return;
    const action = key === 'k' ? openPalette : actions.get(key);
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', pressed);
  return () => {
    offPalette();
    removeEventListener('keydown', pressed);
  };
}
