/*
 * The scripts that run in the server: each touches the keys of one shard only, so that they work in a cluster too. The
 * clock is that of the server. `meta` holds the epoch of a shard, its `rev`, its last token, and the run of the server
 * that it was last seen with.
 */

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/**
 * meta, lives, names; life, instance, lease in ms, another epoch, '1' where the life begins, the run of the server, the
 * epoch and the rev that the caller knows, and '1' where it asks for all lives.
 *
 * The epoch changes where the shard is empty, where the server is another run than before (restarted, or a replica took
 * over), and where it has less than the caller has seen.
 */
export const RENEW = `${NOW}
local meta, lives, names = KEYS[1], KEYS[2], KEYS[3]
local life, instance, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = redis.call('HMGET', meta, 'epoch', 'rev', 'run')
local epoch, rev = known[1], tonumber(known[2] or '0')
local behind = epoch == ARGV[7] and rev < tonumber(ARGV[8])
if not epoch or known[3] ~= ARGV[6] or behind then
  epoch = ARGV[4]
  redis.call('HSET', meta, 'epoch', epoch, 'run', ARGV[6])
end
local holder = redis.call('HGET', names, instance)
if holder and holder ~= life then
  if ARGV[5] ~= '1' then return {1, epoch, rev, now} end
  redis.call('HDEL', lives, holder)
end
if holder ~= life then redis.call('HSET', names, instance, life) end
redis.call('HSET', lives, life, string.format('%.0f', now + lease))
local reply = {0, epoch, rev, now}
if ARGV[9] == '1' then
  local all = redis.call('HGETALL', lives)
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) > now then reply[#reply + 1] = all[i] end
  end
end
if ARGV[5] == '1' then
  local all = redis.call('HGETALL', lives)
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) < now - 100 * lease then redis.call('HDEL', lives, all[i]) end
  end
end
return reply
`;

/**
 * meta, lives, own; life, then units. A token, the life that has the unit, and '1' where no life had it before, for each;
 * the token is 0 where it is another.
 */
export const LEASE = `${NOW}
local meta, lives, own, life = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local reply = {}
for i = 2, #ARGV do
  local token, holder
  local first = '0'
  local present = redis.call('HGET', own, ARGV[i])
  if present then
    token, holder = string.match(present, '^(%d+) (.*)$')
    if holder ~= life then
      local till = redis.call('HGET', lives, holder)
      if till and tonumber(till) > now then token = '0' else holder = nil end
    end
  end
  if not holder then
    local till = redis.call('HGET', lives, life)
    if till and tonumber(till) > now then
      holder = life
      token = tostring(redis.call('HINCRBY', meta, 'token', 1))
      redis.call('HSET', own, ARGV[i], token .. ' ' .. life)
      if not present then first = '1' end
    else
      holder, token = '', '0'
    end
  end
  reply[#reply + 1] = token
  reply[#reply + 1] = holder
  reply[#reply + 1] = first
end
return reply
`;

/** own; life, then units, each with its token. What stays says that there was an owner. */
export const RELEASE = `
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] .. ' ' .. ARGV[1] then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ')
  end
end
return 1
`;

/**
 * meta, own, docs, log, names; life, instance, entries to keep, then parts: unit, token, changes, how many documents and
 * how many removals, topic and text of each document, topic of each removal. 1 for each part that was published.
 */
export const PUBLISH = `
local meta, own, docs, log, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local life, keep = ARGV[1], ARGV[3]
local epoch = redis.call('HGET', meta, 'epoch')
local reply, i = {}, 4
local named = redis.call('HGET', names, ARGV[2]) == life
while i <= #ARGV do
  local unit, token, changes = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local from = i + 5
  local to = from + 2 * tonumber(ARGV[i + 3])
  i = to + tonumber(ARGV[i + 4])
  local may = named and epoch
  if may and unit ~= '' then may = redis.call('HGET', own, unit) == token .. ' ' .. life end
  if may then
    local rev = redis.call('HINCRBY', meta, 'rev', 1)
    for at = from, to - 1, 2 do redis.call('HSET', docs, ARGV[at], ARGV[at + 1]) end
    for at = to, i - 1 do redis.call('HDEL', docs, ARGV[at]) end
    redis.call('XADD', log, 'MAXLEN', '~', keep, string.format('%.0f-1', rev),
      'e', epoch, 'u', unit, 'l', life, 'c', changes)
    reply[#reply + 1] = 1
  else
    reply[#reply + 1] = 0
  end
end
return reply
`;

/** own, lives; a unit. The life that has it, where that is not over. */
export const OWNER = `${NOW}
local present = redis.call('HGET', KEYS[1], ARGV[1])
if not present then return '' end
local holder = string.match(present, '^%d+ (.*)$')
local till = redis.call('HGET', KEYS[2], holder)
if till and tonumber(till) > now then return holder end
return ''
`;

/** lives, the mailbox; life, text, the last moment, how long the mailbox is kept in ms. 1 where it was written. */
export const CALL = `${NOW}
local till = redis.call('HGET', KEYS[1], ARGV[1])
if not till or tonumber(till) <= now or now > tonumber(ARGV[3]) then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 't', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
`;

/** the marks of a feed; rev, text, how many, how long they are kept in ms. One that is not above the last is left out. */
export const MARK = `
redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-1', 'm', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`;

/** lives, names; life, instance. */
export const END = `
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[2]) end
return 1
`;
