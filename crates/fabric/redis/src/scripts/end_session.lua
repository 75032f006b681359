-- Ends a session of this generation or an older one; 0 when it is newer.
-- KEYS: row, index. ARGV: id, generation. Generations are compared as decimal text: a Lua number has 53 bits.
local held = redis.call('HGET', KEYS[1], 'gen')
if held and (#held > #ARGV[2] or (#held == #ARGV[2] and held > ARGV[2])) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
