import { describe, expect, it } from 'vitest';
import { zhCN } from '../../../web/src/locales/zh-CN.ts';
import { chineseDetail } from '../../../web/src/locales/zh-details.ts';

describe('what the bridge says, in Chinese', () => {
  it.each([
    ['silent', 'no valid frame for 4109 ms', '4109 ms 内没有有效的帧'],
    ['link_closed', '127.0.0.1:58124 closed the link.', '127.0.0.1:58124 关闭了链路。'],
    [
      'silent',
      'no valid frame for 10 s; 7 bytes came that are no frames: 3995f802134663',
      '10 s 内没有有效的帧；收到 7 个不成帧的字节：3995f802134663',
    ],
    ['alarm', 'Temperature is above 30 °C (alarm): 30.2 °C', 'Temperature 30.2 °C，高于 30 °C'],
    ['command_failed', 'set_voltage: the device answered with error 3', 'set_voltage：设备应答错误 3'],
    ['request_timeout', 'read: no reply to read within its time', 'read 在规定时间内没有应答'],
    [
      'discarded',
      '40 bytes in 5 pieces were discarded within 0.3 s (no_header)',
      '0.3 秒内分 5 次丢弃了 40 字节（no_header）',
    ],
  ])('%s: %s', (code, text, chinese) => {
    expect(chineseDetail(code, text)).toBe(chinese);
  });

  it('stays as it came where the code or the sentence is another one', () => {
    for (const [code, text] of [
      ['link_closed', 'no valid frame for 10 s'],
      ['constructor', 'x closed the link.'],
      ['silent', 'the driver said: EIO'],
    ] as const)
      expect(zhCN.said(code, text)).toBe(text);
  });

  it('takes no more than linear time, whatever a device makes of its name', () => {
    const long = `${'a; b '.repeat(20_000)}is above`;
    expect(chineseDetail('alarm', long)).toBe(long);
  });
});
