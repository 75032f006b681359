-- A session as node, user, generation, cursor, milliseconds left; nothing when it is not known. KEYS: row.
local row = redis.call('HMGET', KEYS[1], 'node', 'user', 'gen', 'cursor')
if not row[1] then
  return false
end
row[5] = redis.call('PTTL', KEYS[1])
return row
