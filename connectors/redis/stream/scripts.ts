import { createHash } from 'node:crypto'

/**
 * Everything that writes is a script, for three reasons: it is atomic; it can be told apart from a repetition of
 * itself, which a lost reply leads to; and with `allow-oom` it works in a Redis that is full, where plain LMOVE and
 * ZADD are refused just when the queue must drain. Only `push` may fail for want of memory.
 *
 * The elements a worker takes are numbered from 0. Its in-flight list holds a run of them in order, and the
 * `settled` hash the number of the first, so a number says which place is meant however often a command arrives.
 * What is settled in the middle leaves an empty string, which goes once it reaches the head: a hole.
 */
export interface Script {
  readonly lua: string
  readonly sha: string
}

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/** 1, or 0 where a queue would hold more than it may. An empty queue takes any element, or a large one never got in. */
export const PUSH = script(`#!lua
-- KEYS: queue and stats of every group. ARGV: element, records, bytes and records a queue may hold (0: any number)
local bytes, limits = #ARGV[1], { tonumber(ARGV[3]), tonumber(ARGV[4]) }
local added = { bytes, tonumber(ARGV[2]) }
if limits[1] > 0 or limits[2] > 0 then
  for i = 2, #KEYS, 2 do
    local counts = redis.call('HMGET', KEYS[i], 'bytes', 'records')
    for j = 1, 2 do
      local held = tonumber(counts[j] or 0)
      if limits[j] > 0 and held > 0 and held + added[j] > limits[j] then return 0 end
    end
  end
end
for i = 1, #KEYS, 2 do
  redis.call('RPUSH', KEYS[i], ARGV[1])
  redis.call('HINCRBY', KEYS[i + 1], 'records', ARGV[2])
  redis.call('HINCRBY', KEYS[i + 1], 'bytes', bytes)
  redis.call('HINCRBY', KEYS[i + 1], 'elements', 1)
  redis.call('HINCRBY', KEYS[i + 1], 'pushed', ARGV[2])
end
return 1`)

/** Registers a worker, or tells that it lives: 1, or nothing where it is to be known and is not. */
export const BEAT = script(`#!lua flags=allow-oom
-- KEYS: workers. ARGV: worker, 'join' or 'beat'
if ARGV[2] == 'beat' and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return 1`)

/**
 * How the label of an element is read and written here: see src/buffer/label.ts. Only elements that were not
 * delivered at once have one.
 */
const LABEL = `
local ZSTD, PLAIN = '\\94\\42\\77\\24\\9\\0\\0\\0\\8', '\\138\\125\\9\\8'
local function label_at(element)
  local first = string.byte(element)
  if first == 94 and string.sub(element, 1, 9) == ZSTD then return 9 end
  if first == 138 and string.sub(element, 1, 4) == PLAIN then return 4 end
end
local function frame(label, element)
  local start, size = string.sub(element, 1, 4), #label
  if start == '\\40\\181\\47\\253' or string.sub(start, 2) == '\\42\\77\\24' then
    return '\\94\\42\\77\\24' .. struct.pack('<I4', size) .. label .. element
  end
  local length = size < 128 and string.char(size) or string.char(size % 128 + 128, math.floor(size / 128))
  return '\\138\\125' .. length .. label .. element
end
-- The element with so many deliveries more; what nil stands for is taken from the label it has.
local function relabel(element, more, records, foreign, letter)
  local at, deliveries = label_at(element), 0
  if at then
    deliveries = string.byte(element, at + 1)
    records = records or (struct.unpack('<I4', element, at + 3))
    foreign = foreign or string.byte(element, at + 8)
    element = string.sub(element, at + 9)
  end
  records, foreign, deliveries = records or 0, foreign or 0, math.min(deliveries + more, 127)
  local label = '\\8' .. string.char(deliveries) .. '\\21' .. struct.pack('<I4', records) .. '\\24' .. string.char(foreign)
  return frame(label .. letter, element), deliveries, records, foreign
end`

/** Counts a delivery without success: the element to put back, or nothing where it has had too many and is buried. */
const FAIL = `${LABEL}
local poison = { 0, 0 }
local function bury(stats, dead, dead_stats, old, new, records, foreign)
  redis.call('RPUSH', dead, new)
  redis.call('HINCRBY', dead_stats, 'records', records)
  redis.call('HINCRBY', dead_stats, 'bytes', #new)
  redis.call('HINCRBY', dead_stats, 'elements', 1)
  redis.call('HINCRBY', dead_stats, 'buried', records)
  if foreign == 1 then return end
  redis.call('HINCRBY', stats, 'records', -records)
  redis.call('HINCRBY', stats, 'bytes', -#old)
  redis.call('HINCRBY', stats, 'elements', -1)
end
local function fail(stats, dead, dead_stats, element, records, foreign, limit, letter)
  local again, deliveries, known, stranger = relabel(element, 1, records, foreign, '')
  if deliveries < tonumber(limit) then
    if stranger == 0 then redis.call('HINCRBY', stats, 'bytes', #again - #element) end
    return again
  end
  local last = relabel(element, 1, records, foreign, letter)
  bury(stats, dead, dead_stats, element, last, known, stranger)
  poison = { poison[1] + 1, poison[2] + known }
end`

/**
 * The elements after the first \`seen\` ones: those an unheard reply held, or new ones. Nothing for a stranger.
 * A suspect, which was delivered in vain several times, is taken only by a worker that holds nothing, and alone; for
 * others the number 1 stands at its place.
 */
export const TAKE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight, queue
-- ARGV: worker, seen, elements, bytes after which to stop, deliveries of a suspect, 1 where it may be taken${LABEL}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local first, held = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0), redis.call('LLEN', KEYS[3])
local unseen = first + held - tonumber(ARGV[2])
if unseen < 0 then return false end
if unseen > 0 then return redis.call('LRANGE', KEYS[3], -unseen, -1) end
local taken, bytes = {}, 0
for i = 1, tonumber(ARGV[3]) do
  local element = bytes < tonumber(ARGV[4]) and redis.call('LMOVE', KEYS[4], KEYS[3], 'LEFT', 'RIGHT')
  if not element then break end
  taken[i] = element
  local at = label_at(element)
  if at and string.byte(element, at + 1) >= tonumber(ARGV[5]) then
    if held == 0 and i == 1 and ARGV[6] == '1' then break end
    redis.call('LMOVE', KEYS[3], KEYS[4], 'RIGHT', 'LEFT')
    taken[i] = 1
    break
  end
  bytes = bytes + #element
end
return taken`)

/**
 * Nothing for a stranger: whose elements were, somebody else has. What was settled before is passed over. Returns how
 * many elements, and records in them, went to the dead letters for having been released too often.
 */
export const SETTLE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight, queue, stats, dead, dead stats
-- ARGV: worker, deliveries an element may have; then by rising number: number, outcome, records, foreign, and what
-- the outcome needs: 'ack' the bytes of the element if they are known, 'release' after a delivery and 'bury' a letter,
-- 'return' without a delivery and 'note' of the records in it nothing
-- An element that is looked at is copied and hashed, byte by byte: what is acknowledged is not looked at.${FAIL}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local place_of = redis.call('HMGET', KEYS[2], ARGV[1], ARGV[1] .. ':holes')
local first, holes, held = tonumber(place_of[1] or 0), tonumber(place_of[2] or 0), redis.call('LLEN', KEYS[3])
local empty = {}
for _, place in ipairs(holes > 0 and redis.call('LPOS', KEYS[3], '', 'COUNT', 0) or {}) do empty[place] = true end
local back, records, bytes, elements, acked = {}, 0, 0, 0, 0
for i = 3, #ARGV, 5 do
  local place, outcome, own, more = tonumber(ARGV[i]) - first, ARGV[i + 1], ARGV[i + 3] == '0', ARGV[i + 4]
  if place >= 0 and place < held and not empty[place] then
    local put = ''
    if outcome == 'ack' then
      acked = acked + ARGV[i + 2]
      if own then
        records = records + ARGV[i + 2]
        bytes = bytes + (tonumber(more) or #redis.call('LINDEX', KEYS[3], place))
        elements = elements + 1
      end
    else
      local element = redis.call('LINDEX', KEYS[3], place)
      if outcome == 'note' then
        put = relabel(element, 0, tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), '')
        if own then bytes = bytes + #element - #put end
      elseif outcome == 'return' then
        back[#back + 1] = element
      elseif outcome == 'release' then
        back[#back + 1] = fail(KEYS[5], KEYS[6], KEYS[7], element, tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), ARGV[2], more)
      else
        local last = relabel(element, 0, tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), more)
        bury(KEYS[5], KEYS[6], KEYS[7], element, last, tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]))
      end
    end
    redis.call('LSET', KEYS[3], place, put)
    if put == '' then
      holes = holes + 1
      empty[place] = true
    end
  end
end
for i = #back, 1, -1 do redis.call('LPUSH', KEYS[4], back[i]) end
local head = 0
while empty[head] do
  redis.call('LPOP', KEYS[3])
  head = head + 1
end
redis.call('HSET', KEYS[2], ARGV[1], first + head, ARGV[1] .. ':holes', holes - head)
if acked > 0 then redis.call('HINCRBY', KEYS[5], 'acked', acked) end
if records ~= 0 then redis.call('HINCRBY', KEYS[5], 'records', -records) end
if bytes ~= 0 then redis.call('HINCRBY', KEYS[5], 'bytes', -bytes) end
if elements ~= 0 then redis.call('HINCRBY', KEYS[5], 'elements', -elements) end
return poison`)

const PUT_BACK = `
local function put_back(worker, change)
  local inflight, count = KEYS[3] .. ':' .. worker, 0
  while true do
    local element = redis.call('RPOP', inflight)
    if not element then break end
    element = element ~= '' and change(element)
    if element then
      redis.call('LPUSH', KEYS[4], element)
      count = count + 1
    end
  end
  redis.call('HDEL', KEYS[2], worker, worker .. ':holes')
  redis.call('ZREM', KEYS[1], worker)
  return count
end`

/** Puts what a worker holds back at the head of the queue, in order, and forgets the worker. Returns how many. */
export const LEAVE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight of all, queue. ARGV: worker${PUT_BACK}
return put_back(ARGV[1], function(element) return element end)`)

/**
 * Makes every worker leave that has not beaten for a while; what it held counts as delivered in vain. Returns how many
 * workers that were, elements put back, and elements and records that went to the dead letters.
 */
export const REAP = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight of all, queue, stats, dead, dead stats
-- ARGV: milliseconds, deliveries an element may have, letter${FAIL}${PUT_BACK}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Where the clock was put back, a sign of life lies in the future: as if it were given now, or the dead never left.
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do
  redis.call('ZADD', KEYS[1], now, worker)
end
local silent, count = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[1])), 0
for _, worker in ipairs(silent) do
  count = count + put_back(worker, function(element)
    return fail(KEYS[5], KEYS[6], KEYS[7], element, nil, nil, ARGV[2], ARGV[3])
  end)
end
return { #silent, count, poison[1], poison[2] }`)

/** Keeps dead letters: also when Redis is full, or the drain would stand still behind them. */
export const BURY = script(`#!lua flags=allow-oom
-- KEYS: dead, dead stats. ARGV: records, elements
local bytes = 0
for i = 2, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[i])
  bytes = bytes + #ARGV[i]
end
redis.call('HINCRBY', KEYS[2], 'records', ARGV[1])
redis.call('HINCRBY', KEYS[2], 'bytes', bytes)
redis.call('HINCRBY', KEYS[2], 'elements', #ARGV - 1)
redis.call('HINCRBY', KEYS[2], 'buried', ARGV[1])
return #ARGV - 1`)
