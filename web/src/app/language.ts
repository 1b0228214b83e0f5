import { computed, effect, signal } from '@preact/signals';
import { en, type Messages } from '../locales/en.ts';
import { kept } from './settings.ts';

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '简体中文' };

const preferred: Language =
  navigator.languages.some((each) => each.toLowerCase().startsWith('zh')) &&
  !navigator.language.toLowerCase().startsWith('en')
    ? 'zh-CN'
    : 'en';

/** As it was chosen; the browser's own where it was not. */
export const language = kept<Language>('language', LANGUAGES, preferred);

const table = signal<Messages>(en);
const shown = signal<Language>('en');

async function load(wanted: Language): Promise<void> {
  const messages = wanted === 'en' ? en : (await import('../locales/zh-CN.ts')).zhCN;
  if (language.value !== wanted) return;
  table.value = messages;
  shown.value = wanted;
}
effect(() => void load(language.value));
effect(() => {
  document.documentElement.lang = shown.value;
});

/** The texts of the page in the language that is shown; read inside a component, it follows a change. */
export const t = (): Messages => table.value;

/** The language that is shown, for `Intl`: that of the browser where it is a kind of it (`en-GB`). */
export const locale = computed(() => {
  const own = navigator.languages.find((each) => each.split('-')[0] === shown.value.split('-')[0]);
  return shown.value === 'en' ? (own ?? 'en') : shown.value;
});
