-- Moves a session of the generation seen to a new node and id. Gives user and cursor, or nothing on a conflict.
-- KEYS: old row, new row, index. ARGV: old id, new id, generation seen, new generation, node, milliseconds.
local held = redis.call('HMGET', KEYS[1], 'node', 'gen', 'user', 'cursor')
if not held[1] or held[2] ~= ARGV[3] then
  return false
end
if ARGV[1] ~= ARGV[2] then
  if redis.call('EXISTS', KEYS[2]) == 1 then
    return false
  end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'gen', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
redis.call('HSET', KEYS[2], 'node', ARGV[5], 'user', held[3], 'gen', ARGV[4], 'cursor', held[4])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[6]) then
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
return { held[3], held[4] }
