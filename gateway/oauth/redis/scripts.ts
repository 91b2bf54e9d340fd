/**
 * The transitions of a flight that several processes share, as Lua: Redis runs a script as one step, which is what an
 * exchange of the control word is in one process. The clock is that of Redis; nobody's own decides anything.
 *
 * ```
 * {prefix}:{digest}:s   hash   st    reserved pending committing success failed cancelled expired
 *                              g     fence of this flight       ow      whose it is
 *                              lease until when its leader need not be heard of, in ms
 *                              ends  when a pending flight lapses, or until when a failure answers the next starts
 *                              code  of a failure               pay     what joiners are shown: public
 *                              stop  1: cancelled while it is being stored
 * {prefix}:{digest}:g   the last fence, kept longer than any flight
 * ```
 *
 * Fences are microseconds since 1970, and always larger than the last: also after the counter was lost, unless the clock has
 * gone back. Numbers are written by `%.0f`: Lua's own way keeps fourteen digits.
 */

/** How long an end stays readable, and the counter without any claim. */
const retentionMs = 300_000;
const counterMs = 30 * 86_400_000;

const prelude = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local s = redis.call('HMGET', KEYS[1], 'st', 'g', 'ow', 'lease', 'ends', 'code', 'pay', 'stop')
local st, g, ow = s[1], s[2], s[3]
local lease, ends = tonumber(s[4] or '0'), tonumber(s[5] or '0')
local live = st == 'reserved' or st == 'pending' or st == 'committing'
local lapsed = live and (lease <= now or (st == 'pending' and ends <= now))
local mine = ow == ARGV[1] and g == ARGV[2]
local function put(ttl, ...)
  redis.call('HSET', KEYS[1], ...)
  redis.call('PEXPIRE', KEYS[1], ttl + ${retentionMs})
end
`;

/** ARGV: owner, the fence whose end the caller waits for or '', lease in ms. */
const claim = `${prelude}
if live and not lapsed then
  if st ~= 'reserved' then return { 'joined', g, s[7] or '', string.format('%.0f', ends - now) } end
  return { ow == ARGV[1] and 'won' or 'wait', g }
end
if st and not live and (g == ARGV[2] or (st == 'failed' and ends > now)) then
  return { 'ended', g, st, s[6] or '0', string.format('%.0f', math.max(0, ends - now)) }
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fence = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[2], fence, 'PX', ${counterMs})
redis.call('DEL', KEYS[1])
put(tonumber(ARGV[3]), 'st', 'reserved', 'g', fence, 'ow', ARGV[1], 'lease', string.format('%.0f', now + ARGV[3]))
return { 'won', fence }
`;

/** ARGV: owner, fence, lease in ms, payload, life of the flow in ms. */
const publish = `${prelude}
if not mine or st ~= 'reserved' then return { mine and st == 'pending' and 'held' or 'lost' } end
put(tonumber(ARGV[5]), 'st', 'pending', 'pay', ARGV[4], 'lease', string.format('%.0f', now + ARGV[3]),
  'ends', string.format('%.0f', now + ARGV[5]))
return { 'held' }
`;

/** The leader is alive. ARGV: owner, fence, lease in ms. */
const extend = `${prelude}
if mine and st == 'cancelled' then return { 'cancelled' } end
if not mine or not live then return { 'lost' } end
put(math.max(tonumber(ARGV[3]), ends - now), 'lease', string.format('%.0f', now + ARGV[3]))
return { 'held' }
`;

/** From here on a cancel waits for the end. ARGV: owner, fence, lease in ms. */
const commit = `${prelude}
if mine and st == 'committing' then return { 'held' } end
if mine and st == 'cancelled' then return { 'cancelled' } end
if not mine or st ~= 'pending' or ends <= now then return { 'lost' } end
put(tonumber(ARGV[3]), 'st', 'committing', 'lease', string.format('%.0f', now + ARGV[3]))
return { 'held' }
`;

/** ARGV: owner, fence. */
const finish = `${prelude}
if not mine or (st ~= 'committing' and st ~= 'success') then return { 'lost' } end
if s[8] == '1' then
  put(0, 'st', 'cancelled')
  return { 'cancelled' }
end
put(0, 'st', 'success')
return { 'held' }
`;

/** ARGV: owner, fence, code, how long it answers the next starts in ms. */
const fail = `${prelude}
if not mine or not live then return { 'lost' } end
put(tonumber(ARGV[4]), 'st', 'failed', 'code', ARGV[3], 'ends', string.format('%.0f', now + ARGV[4]))
return { 'held' }
`;

/** By anyone who was told of the flow. ARGV: '', fence. */
const cancel = `${prelude}
if g ~= ARGV[2] then return { 'lost' } end
if st == 'pending' and ends > now then put(0, 'st', 'cancelled') end
if st == 'committing' then redis.call('HSET', KEYS[1], 'stop', '1') end
return { 'held' }
`;

/** ARGV: '', fence. */
const look = `${prelude}
if g ~= ARGV[2] then return { 'lost', '0' } end
if lapsed then return { lease <= now and 'lost' or 'expired', '0' } end
return { st, s[6] or '0' }
`;

export const scripts = { claim, publish, extend, commit, finish, fail, cancel, look } as const;
export type ScriptName = keyof typeof scripts;
