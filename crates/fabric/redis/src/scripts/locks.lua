-- The held locks, as name, milliseconds left, ... KEYS: index.
local held = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local left = redis.call('PTTL', KEYS[1] .. ':' .. name)
  if left > 0 then
    held[#held + 1] = name
    held[#held + 1] = tostring(left)
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
return held
