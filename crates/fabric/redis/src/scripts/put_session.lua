-- Registers or refreshes a session; 0 when it belongs to another node or generation.
-- KEYS: row, index. ARGV: id, node, user, generation, cursor, milliseconds.
-- A row that has moved keeps its generation without a node, so that the node that lost it stays refused.
local held = redis.call('HMGET', KEYS[1], 'node', 'gen')
if held[2] and (held[1] ~= ARGV[2] or held[2] ~= ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], 'node', ARGV[2], 'user', ARGV[3], 'gen', ARGV[4], 'cursor', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[6]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
if not held[2] then
  -- Each new session looks at two others: lapsed ids cannot outgrow the living ones, and nobody has to sweep.
  for _, id in ipairs(redis.call('ZRANDMEMBER', KEYS[2], 2)) do
    if redis.call('HEXISTS', KEYS[2] .. ':' .. id, 'node') == 0 then
      redis.call('ZREM', KEYS[2], id)
    end
  end
end
return 1
