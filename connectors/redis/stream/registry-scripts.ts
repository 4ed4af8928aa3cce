import { script } from './scripts.ts'

/*
 * Two of these are about the registry, which lies in a slot of its own, and two about one stream: no script touches
 * the slots of two.
 */

/** The identity key, which is made where there is none, and all streams with the version of their entry. */
export const HOME = script(`#!lua flags=allow-oom
-- KEYS: identity, streams. ARGV: new key
local identity = redis.call('GET', KEYS[1])
if not identity then
  identity = ARGV[1]
  redis.call('SET', KEYS[1], identity)
end
return { identity, redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES') }`)

/**
 * Registers a stream, or gives its entry a new version, which keeps it from being forgotten: 1. Where there are as many
 * as there may be, all of them as HOME tells them. The version is about the time, in milliseconds, and never the same twice.
 */
export const REGISTER = script(`#!lua flags=allow-oom
-- KEYS: streams. ARGV: stream, streams there may be (0: any number)
local version, most = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0), tonumber(ARGV[2])
if version == 0 and most > 0 and redis.call('ZCARD', KEYS[1]) >= most then
  return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], math.max(now, version + 1), ARGV[1])
return 1`)

/** Takes a stream from the registry, unless it has been registered anew. */
export const FORGET = script(`#!lua flags=allow-oom
-- KEYS: streams. ARGV: stream, version
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])`)

/**
 * What a stream holds: dead records, dead elements, a list of queues of no group with their lengths, then for every
 * group records, bytes, elements that wait and elements in flight. Where everything is empty the counts are set to 0, so
 * that what was miscounted does not stay: elements which other tools took out.
 */
export const OBSERVE = script(`#!lua flags=allow-oom
-- KEYS: dead, dead stats, queues; then queue, stats, workers, settled and in-flight of all for every group
-- ARGV: names of the groups
local function read(stats, empty)
  local counts = redis.call('HMGET', stats, 'records', 'bytes', 'elements')
  for i = 1, 3 do counts[i] = tonumber(counts[i] or 0) end
  if empty and (counts[1] ~= 0 or counts[2] ~= 0 or counts[3] ~= 0) then
    redis.call('HSET', stats, 'records', 0, 'bytes', 0, 'elements', 0)
    return { 0, 0, 0 }
  end
  return counts
end
local current, seen, dead = {}, {}, redis.call('LLEN', KEYS[1])
for i = 4, #KEYS, 5 do
  current[KEYS[i]] = true
  redis.call('HSETNX', KEYS[3], KEYS[i], ARGV[(i + 1) / 5])
  local waiting, held = redis.call('LLEN', KEYS[i]), 0
  for _, worker in ipairs(redis.call('ZRANGE', KEYS[i + 2], 0, -1)) do
    held = held + redis.call('LLEN', KEYS[i + 4] .. ':' .. worker)
      - tonumber(redis.call('HGET', KEYS[i + 3], worker .. ':holes') or 0)
  end
  local counts = read(KEYS[i + 1], waiting + held == 0)
  for _, count in ipairs({ counts[1], counts[2], waiting, held }) do seen[#seen + 1] = count end
end
local abandoned = {}
for _, queue in ipairs(redis.call('HKEYS', KEYS[3])) do
  if not current[queue] then
    local waiting = redis.call('LLEN', queue)
    if waiting == 0 then redis.call('HDEL', KEYS[3], queue) end
    if waiting > 0 then abandoned[#abandoned + 1] = { queue, waiting } end
  end
end
return { read(KEYS[2], dead == 0)[1], dead, abandoned, unpack(seen) }`)

/** 1 where a stream is empty, and nothing is left of it; 0 otherwise. */
export const CLEAN = script(`#!lua flags=allow-oom
-- KEYS: as OBSERVE
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 4, #KEYS, 5 do
  if redis.call('EXISTS', KEYS[i], KEYS[i + 2]) > 0 then return 0 end
end
for _, queue in ipairs(redis.call('HKEYS', KEYS[3])) do
  if redis.call('EXISTS', queue) == 1 then return 0 end
end
redis.call('DEL', KEYS[2], KEYS[3])
for i = 4, #KEYS, 5 do redis.call('DEL', KEYS[i + 1], KEYS[i + 3]) end
return 1`)
