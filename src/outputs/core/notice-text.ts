import type { Notice } from './notices.ts';

export type Language = 'en' | 'zh';

/** What a device is called, for people. */
export interface DeviceNames {
  readonly label?: string | undefined;
  readonly group?: string | undefined;
}

const WORDS: Readonly<Record<Language, Readonly<Record<Exclude<Notice['event'], 'test'>, string>>>> = {
  en: { offline: 'is offline', online: 'is online', alarm: 'alarm', incident: 'incident' },
  zh: { offline: '离线', online: '恢复在线', alarm: '报警', incident: '事件' },
};
const TEST: Readonly<Record<Language, string>> = {
  en: 'Test of Heartwire: messages arrive here.',
  zh: 'Heartwire 测试：消息可以送达。',
};
const CLEARED: Readonly<Record<Language, string>> = { en: 'back to normal', zh: '恢复正常' };

/** One line for people. */
export function noticeText(language: Language, notice: Notice, { label, group }: DeviceNames): string {
  const name = label === undefined ? notice.device : `${label} (${notice.device})`;
  const device = group === undefined ? name : `${group}: ${name}`;
  const words = WORDS[language];
  const { data } = notice;
  const why = [data.reason, data.detail].filter((each) => typeof each === 'string' && each !== '').join(', ');
  switch (notice.event) {
    case 'offline':
    case 'online':
      return `${device} ${words[notice.event]}${why === '' ? '' : ` (${why})`}`;
    case 'alarm': {
      const value =
        data.value === undefined
          ? ''
          : ` = ${String(data.value)}${data.unit === undefined ? '' : ` ${String(data.unit)}`}`;
      const state = notice.word === 'good' ? CLEARED[language] : `${words.alarm} ${notice.word}`;
      return `${device} ${notice.subject}${value}: ${state}`;
    }
    case 'test':
      return TEST[language];
    case 'incident':
      return `${device} ${words.incident}${why === '' ? '' : `: ${why}`}`;
  }
}
