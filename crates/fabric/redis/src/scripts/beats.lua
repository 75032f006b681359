-- All signs of life, as node, incarnation, body, ... KEYS: index. Nodes that have lapsed leave the index.
local said = {}
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local row = redis.call('HMGET', KEYS[1] .. ':' .. node, 'inc', 'body')
  if row[1] then
    said[#said + 1] = node
    said[#said + 1] = row[1]
    said[#said + 1] = row[2]
  else
    redis.call('SREM', KEYS[1], node)
  end
end
return said
