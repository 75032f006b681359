-- Says that a node is alive. KEYS: row, index. ARGV: node, incarnation, body, milliseconds.
redis.call('HSET', KEYS[1], 'inc', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SADD', KEYS[2], ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return 1
