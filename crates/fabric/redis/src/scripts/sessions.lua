-- One page of sessions in the order of their ids. KEYS: index. ARGV: where to start, how many ids to look at.
-- Gives the number of ids looked at, the last of them, then id, node, user, generation, cursor, milliseconds, ...
local ids = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local page = { tostring(#ids), ids[#ids] or '' }
for _, id in ipairs(ids) do
  local key = KEYS[1] .. ':' .. id
  local row = redis.call('HMGET', key, 'node', 'user', 'gen', 'cursor')
  if row[1] then
    page[#page + 1] = id
    for field = 1, 4 do
      page[#page + 1] = row[field]
    end
    page[#page + 1] = tostring(redis.call('PTTL', key))
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return page
