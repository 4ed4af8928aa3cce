import { createHash } from 'node:crypto'

/**
 * Everything that writes is a script, for three reasons: it is atomic; it can be told apart from a repetition of
 * itself, which a lost reply leads to; and with `allow-oom` it works in a Redis that is full, where plain LMOVE and
 * ZADD are refused just when the queue must drain. Only `push` may fail for want of memory.
 *
 * The elements a worker takes are numbered from 0. Its in-flight list holds a run of them in order, and the
 * `settled` hash the number of the first, so a number says which place is meant however often a command arrives.
 * What is settled in the middle leaves an empty string, which goes once it reaches the head.
 */
export interface Script {
  readonly lua: string
  readonly sha: string
}

const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/** 1, or 0 where a queue would hold more than it may. An empty queue takes any element, or a large one never got in. */
export const PUSH = script(`#!lua
-- KEYS: queue and stats of every group. ARGV: element, records, bytes a queue may hold (0: any number)
local bytes, limit = #ARGV[1], tonumber(ARGV[3])
if limit > 0 then
  for i = 2, #KEYS, 2 do
    local held = tonumber(redis.call('HGET', KEYS[i], 'bytes') or 0)
    if held > 0 and held + bytes > limit then return 0 end
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

/** The elements after the first \`seen\` ones: those an unheard reply held, or new ones. Nothing for a stranger. */
export const TAKE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight, queue. ARGV: worker, seen, elements, bytes after which to stop
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local first = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0)
local unseen = first + redis.call('LLEN', KEYS[3]) - tonumber(ARGV[2])
if unseen < 0 then return false end
if unseen > 0 then return redis.call('LRANGE', KEYS[3], -unseen, -1) end
local taken, bytes = {}, 0
for i = 1, tonumber(ARGV[3]) do
  local element = bytes < tonumber(ARGV[4]) and redis.call('LMOVE', KEYS[4], KEYS[3], 'LEFT', 'RIGHT')
  if not element then break end
  taken[i] = element
  bytes = bytes + #element
end
return taken`)

/** 1, or nothing for a stranger: whose elements were, somebody else has. What was settled before is passed over. */
export const SETTLE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight, queue, stats, dead, dead stats
-- ARGV: worker; then by rising number: number, 'ack', 'release' or 'bury', records
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local first = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0)
local back, records, bytes, elements, acked = {}, 0, 0, 0, 0
for i = 2, #ARGV, 3 do
  local place = tonumber(ARGV[i]) - first
  local element = place >= 0 and redis.call('LINDEX', KEYS[3], place)
  if element and element ~= '' then
    if ARGV[i + 1] == 'release' then
      back[#back + 1] = element
    else
      records = records + ARGV[i + 2]
      bytes = bytes + #element
      elements = elements + 1
      if ARGV[i + 1] == 'ack' then
        acked = acked + ARGV[i + 2]
      else
        redis.call('RPUSH', KEYS[6], element)
        redis.call('HINCRBY', KEYS[7], 'bytes', #element)
        redis.call('HINCRBY', KEYS[7], 'elements', 1)
      end
    end
    redis.call('LSET', KEYS[3], place, '')
  end
end
for i = #back, 1, -1 do redis.call('LPUSH', KEYS[4], back[i]) end
while redis.call('LINDEX', KEYS[3], 0) == '' do
  redis.call('LPOP', KEYS[3])
  first = first + 1
end
redis.call('HSET', KEYS[2], ARGV[1], first)
if elements > 0 then
  redis.call('HINCRBY', KEYS[5], 'records', -records)
  redis.call('HINCRBY', KEYS[5], 'bytes', -bytes)
  redis.call('HINCRBY', KEYS[5], 'elements', -elements)
  redis.call('HINCRBY', KEYS[5], 'acked', acked)
end
return 1`)

const PUT_BACK = `
local function put_back(worker)
  local inflight, count = KEYS[3] .. ':' .. worker, 0
  while true do
    local element = redis.call('RPOP', inflight)
    if not element then break end
    if element ~= '' then
      redis.call('LPUSH', KEYS[4], element)
      count = count + 1
    end
  end
  redis.call('HDEL', KEYS[2], worker)
  redis.call('ZREM', KEYS[1], worker)
  return count
end`

/** Puts what a worker holds back at the head of the queue, in order, and forgets the worker. Returns how many. */
export const LEAVE = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight of all, queue. ARGV: worker${PUT_BACK}
return put_back(ARGV[1])`)

/** Makes every worker leave that has not beaten for a while. Returns how many workers and elements that were. */
export const REAP = script(`#!lua flags=allow-oom
-- KEYS: workers, settled, in-flight of all, queue. ARGV: milliseconds${PUT_BACK}
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
local silent, count = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. oldest), 0
for _, worker in ipairs(silent) do count = count + put_back(worker) end
return { #silent, count }`)

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

/**
 * What the stream holds: identity key, dead records, then for every group records, bytes, elements and how many of
 * those wait. Where everything is empty the counts are set to 0, so that what was miscounted does not stay:
 * elements which other tools put in or took out.
 */
export const OBSERVE = script(`#!lua flags=allow-oom
-- KEYS: identity, dead, dead stats; then queue, stats, workers and in-flight of all for every group. ARGV: new key
local identity = redis.call('GET', KEYS[1])
if not identity then
  identity = ARGV[1]
  redis.call('SET', KEYS[1], identity)
end
local function read(stats, empty)
  local counts = redis.call('HMGET', stats, 'records', 'bytes', 'elements')
  for i = 1, 3 do counts[i] = tonumber(counts[i] or 0) end
  if empty and (counts[1] ~= 0 or counts[2] ~= 0 or counts[3] ~= 0) then
    redis.call('HSET', stats, 'records', 0, 'bytes', 0, 'elements', 0)
    return { 0, 0, 0 }
  end
  return counts
end
local seen = { identity, read(KEYS[3], redis.call('EXISTS', KEYS[2]) == 0)[1] }
for i = 4, #KEYS, 4 do
  local waiting = redis.call('LLEN', KEYS[i])
  local empty = waiting == 0
  for _, worker in ipairs(redis.call('ZRANGE', KEYS[i + 2], 0, -1)) do
    empty = empty and redis.call('EXISTS', KEYS[i + 3] .. ':' .. worker) == 0
  end
  local counts = read(KEYS[i + 1], empty)
  for j = 1, 3 do seen[#seen + 1] = counts[j] end
  seen[#seen + 1] = waiting
end
return seen`)
