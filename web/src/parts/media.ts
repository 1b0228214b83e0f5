import { signal } from '@preact/signals';

const phone = matchMedia('(max-width: 48rem)');
const isPhone = signal(phone.matches);
phone.addEventListener('change', () => {
  isPhone.value = phone.matches;
});
const width = signal(innerWidth);
addEventListener('resize', () => {
  width.value = document.documentElement.clientWidth;
});

/** Whether the screen is as narrow as that of a phone. */
export const usePhone = (): boolean => isPhone.value;
export const useViewWidth = (): number => width.value;
