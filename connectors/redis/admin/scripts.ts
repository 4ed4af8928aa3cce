import { script } from '../stream/scripts.ts'

/** Counts down, but never below nothing: of elements that other tools put in, nobody knew what they hold. */
const SUBTRACT = `
local function subtract(stats, field, amount)
  if redis.call('HINCRBY', stats, field, -amount) < 0 then redis.call('HSET', stats, field, 0) end
end`

/** What a stream holds: the dead letters, then for every group counts, and the workers that hold something. */
export const STATS = script(`#!lua flags=no-writes
-- KEYS: dead, dead stats; then queue, stats, workers, settled and in-flight of all for every group
local function counts(stats, ...)
  local read = redis.call('HMGET', stats, ...)
  for i = 1, #read do read[i] = tonumber(read[i] or 0) end
  return read
end
local dead, groups = counts(KEYS[2], 'records', 'bytes'), {}
for i = 3, #KEYS, 5 do
  local held, holders = 0, {}
  for _, worker in ipairs(redis.call('ZRANGE', KEYS[i + 2], 0, -1)) do
    local length = redis.call('LLEN', KEYS[i + 4] .. ':' .. worker)
    if length > 0 then holders[#holders + 1] = worker end
    held = held + length - tonumber(redis.call('HGET', KEYS[i + 3], worker .. ':holes') or 0)
  end
  local read = counts(KEYS[i + 1], 'records', 'bytes', 'pushed', 'acked')
  groups[#groups + 1] = { redis.call('LLEN', KEYS[i]), held, holders, unpack(read) }
end
return { redis.call('LLEN', KEYS[1]), dead[1], dead[2], unpack(groups) }`)

/** Counts up what is put into a queue. */
const ADD = `
local function add(queue, stats, first)
  for i = first, #ARGV, 3 do
    redis.call('RPUSH', queue, ARGV[i])
    if ARGV[i + 2] == '0' then
      redis.call('HINCRBY', stats, 'records', ARGV[i + 1])
      redis.call('HINCRBY', stats, 'bytes', #ARGV[i])
      redis.call('HINCRBY', stats, 'elements', 1)
      redis.call('HINCRBY', stats, 'pushed', ARGV[i + 1])
    end
  end
end`

/** Takes a dead letter out and puts what it becomes into a queue: 1, or 0 where it is not there. In a full Redis too. */
export const REPLAY = script(`#!lua flags=allow-oom
-- KEYS: dead, dead stats, queue, stats. ARGV: letter, records it counts for; then element, records, 1 where foreign${SUBTRACT}${ADD}
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
subtract(KEYS[2], 'records', ARGV[2])
subtract(KEYS[2], 'bytes', #ARGV[1])
subtract(KEYS[2], 'elements', 1)
add(KEYS[3], KEYS[4], 3)
return 1`)

/** Puts elements at the end of a queue: 1. A full Redis refuses. */
export const ENQUEUE = script(`#!lua
-- KEYS: queue, stats. ARGV: element, records, 1 where foreign; and so on${ADD}
add(KEYS[1], KEYS[2], 1)
return 1`)

/** Deletes a dead letter: 1, or 0 where it is not there. */
export const DROP = script(`#!lua flags=allow-oom
-- KEYS: dead, dead stats. ARGV: letter, records it counts for${SUBTRACT}
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
subtract(KEYS[2], 'records', ARGV[2])
subtract(KEYS[2], 'bytes', #ARGV[1])
subtract(KEYS[2], 'elements', 1)
return 1`)

/**
 * Deletes elements from the head of a queue. Returns how many, their bytes, and the records in them: as many as such
 * a part of all elements holds, which is exact where no drain holds any.
 */
export const PURGE = script(`#!lua flags=allow-oom
-- KEYS: queue, stats. ARGV: elements${SUBTRACT}
local gone = redis.call('LPOP', KEYS[1], ARGV[1]) or {}
local bytes, stats = 0, redis.call('HMGET', KEYS[2], 'records', 'elements')
for _, element in ipairs(gone) do bytes = bytes + #element end
local all = math.max(1, tonumber(stats[2] or 0))
local records = math.floor(tonumber(stats[1] or 0) * math.min(1, #gone / all) + 0.5)
subtract(KEYS[2], 'records', records)
subtract(KEYS[2], 'bytes', bytes)
subtract(KEYS[2], 'elements', #gone)
return { #gone, bytes, records }`)
