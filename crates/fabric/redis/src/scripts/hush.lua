-- Takes a sign of life back, if it is this incarnation's. KEYS: row, index. ARGV: node, incarnation.
if redis.call('HGET', KEYS[1], 'inc') == ARGV[2] then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[1])
end
return 1
