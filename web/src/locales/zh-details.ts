/** The codes of reasons in Chinese. */
export const chineseReasons: Readonly<Record<string, string>> = {
  silent: '无数据',
  link_lost: '链路断开',
  closed_by_peer: '对端关闭',
  connect_refused: '连接被拒绝',
  connect_timeout: '连接超时',
  connection_lost: '连接丢失',
  heartbeat_lost: '心跳丢失',
  registration_rejected: '注册被拒绝',
  registration_timeout: '注册超时',
  starting: '正在启动',
  timeout: '超时',
  link_closed: '链路已关闭',
  name_not_resolved: '主机名无法解析',
  identity_changed: '身份已改变',
  connection_limit: '连接数已满',
  frame_stalled: '报文中断',
  bad_frame: '报文错误',
  register_timeout: '注册超时',
  register_refused: '注册被拒绝',
  takeover_refused: '拒绝接管',
  link_handed_on: '链路已移交',
  config_invalid: '配置无效',
  removed: '已移除',
  stopped: '已停止',
  expired: '已过期',
  forbidden: '无权限',
  internal_error: '内部错误',
  backplane_lost: '多实例总线断开',
  owner_lost: '所属实例已离开',
  output_unreachable: '输出不可达',
  output_refused: '输出被拒绝',
  duplicate_identity: '身份重复',
  port_busy: '端口被占用',
  port_missing: '端口不存在',
  link_ended: '链路已结束',
  link_reset: '链路被重置',
  link_error: '链路错误',
  link_replaced: '链路被取代',
  link_queue_full: '发送队列已满',
  port_unplugged: '串口已拔出',
  port_permission: '没有串口权限',
  port_failed: '串口故障',
  connect_unreachable: '网络不可达',
  connect_failed: '连接失败',
  host_unknown: '主机名未知',
  history_disk_full: '磁盘已满',
  history_unwritable: '历史无法写入',
  output_secret_unreadable: '密钥文件无法读取',
  request_rejected: '请求被设备拒绝',
  request_timeout: '请求超时',
  wrong_device: '应答来自其他设备',
};

/** What the bridge says for people, as it says it in English, and the same in Chinese. */
type Rule = readonly [english: RegExp, chinese: string];

const LINK_CLOSED: readonly Rule[] = [
  [/^(\S+) closed the link\.$/, '$1 关闭了链路。'],
  [/^We closed the link with (\S+)\.$/, '网桥关闭了与 $1 的链路。'],
  [
    /^(\S+) closed the link before its turn came; many dial in at once\.$/,
    '$1 在轮到之前关闭了链路；同时连入的设备太多。',
  ],
];

/** By the code beside it. What has no rule is shown as it came: a wrong sentence is worse than a foreign one. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  silent: [
    [/^no valid frame for ([\d.]+ m?s)$/, '$1 内没有有效的帧'],
    [/^no valid frame for more than 1\.5 heartbeat intervals$/, '超过 1.5 个心跳间隔没有有效的帧'],
  ],
  link_closed: LINK_CLOSED,
  closed_by_peer: LINK_CLOSED,
  backplane_lost: [[/^the backplane does not answer$/, '多实例总线没有应答']],
  owner_lost: [
    [/^the instance (\S+) is gone$/, '实例 $1 已离开'],
    [/^the device goes to another instance$/, '设备正转到另一个实例'],
  ],
  link_lost: [[/^the link was lost: (.*)$/, '链路丢失：$1']],
  connect_refused: [
    [
      /^Nothing listens at (\S+)\. Start the device's server, or correct the port\.$/,
      '$1 没有程序在监听。请启动设备的服务，或改正端口。',
    ],
  ],
  connect_timeout: [
    [/^no answer within (\d+) ms$/, '$1 ms 内没有应答'],
    [
      /^(\S+) did not answer\. Check that the device is on, the address, and the firewalls between\.$/,
      '$1 没有应答。请检查设备是否开机、地址是否正确以及途中的防火墙。',
    ],
  ],
  connect_unreachable: [
    [
      /^There is no way to (\S+) \((\w+)\)\. Check the cable, the network and the route\.$/,
      '无法到达 $1（$2）。请检查网线、网络和路由。',
    ],
  ],
  name_not_resolved: [[/^its name was not looked up within (\d+) ms$/, '$1 ms 内未能解析主机名']],
  link_reset: [
    [
      /^(\S+) reset the connection \((\w+)\); its program may have crashed or restarted\.$/,
      '$1 重置了连接（$2）；它的程序可能崩溃或重新启动了。',
    ],
  ],
  link_error: [
    [
      /^(\S+) does not answer any more \((\w+)\)\. Check its power and the network between\.$/,
      '$1 不再应答（$2）。请检查它的电源和途中的网络。',
    ],
  ],
  port_busy: [
    [/^(\S+) is held by (.+)\. Stop it, or use another port\.$/, '$1 被 $2 占用。请停止它，或使用其他端口。'],
    [
      /^Another program listens at (\S+)\. Stop it, or choose another port\.$/,
      '另一个程序正在监听 $1。请停止它，或选择其他端口。',
    ],
  ],
  port_missing: [
    [
      /^There is no (\S+) now\. Plug the device in, or see `heartwire ports` for what is there\.$/,
      '现在没有 $1。请插入设备，或用 `heartwire ports` 查看现有串口。',
    ],
  ],
  port_unplugged: [
    [
      /^(\S+) vanished\. Plug the device in again; it is found by itself\.$/,
      '$1 消失了。请重新插入设备，网桥会自动找到它。',
    ],
  ],
  register_timeout: [[/^no reply to our register within (\d+) ms$/, '$1 ms 内没有收到对注册的应答']],
  bad_frame: [[/^saw (.+); expected (.+)$/, '收到 $1；应为 $2']],
  identity_changed: [
    [/^it (?:registered|logged in) again as (\S+) on the link of (\S+)$/, '在 $2 的链路上又以 $1 的身份注册'],
  ],
  discarded: [
    [
      /^(\d+) bytes in (\d+) pieces were discarded within ([\d.]+) s \((.+)\)$/,
      '$3 秒内分 $2 次丢弃了 $1 字节（$4）',
    ],
  ],
  alarm: [
    [/^(.+) is above (.+) \((?:alarm|warn)\): (.+)$/s, '$1 $3，高于 $2'],
    [/^(.+) is below (.+) \((?:alarm|warn)\): (.+)$/s, '$1 $3，低于 $2'],
    [/^(.+) is good again: (.+)$/s, '$1 $2，已恢复正常'],
  ],
  command_failed: [[/^(\S+): the device answered with error (\S+)(?: \((.+)\))?$/, '$1：设备应答错误 $2 $3']],
  request_timeout: [[/^(?:\S+: )?no reply to (\S+) within its time$/, '$1 在规定时间内没有应答']],
};

/** What may stand behind any of them. */
const ENDINGS: readonly Rule[] = [
  [/; (\d+) bytes came that are no frames: (.*)$/s, '；收到 $1 个不成帧的字节：$2'],
  [/; what came is none of it: (.*)$/s, '；收到的不属于它：$1'],
];

/** The detail that stands beside a code, in Chinese as far as it is known. */
export function chineseDetail(code: string, text: string): string {
  for (const [english, chinese] of ENDINGS) {
    const end = english.exec(text);
    if (end !== null)
      return `${chineseDetail(code, text.slice(0, end.index))}${end[0].replace(english, chinese)}`;
  }
  const rules = Object.hasOwn(RULES, code) ? (RULES[code] ?? []) : [];
  const rule = rules.find(([english]) => english.test(text));
  return rule === undefined ? text : text.replace(rule[0], rule[1]).trimEnd();
}
