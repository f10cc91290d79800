/*
 * What Redis must do as one step, in its Lua. Numbers there are doubles, exact up to 2^53; Redis gives a
 * script's error back as the reply.
 */
#ifndef EVENTS_REDIS_SCRIPTS_H
#define EVENTS_REDIS_SCRIPTS_H

/* The number that a stream's last entry had, also of one that is gone since. */
#define LUA_LAST                                                     \
	"local function last(key)\n"                                 \
	"  if redis.call('EXISTS', key) == 0 then return 0 end\n"    \
	"  local info = redis.call('XINFO', 'STREAM', key)\n"        \
	"  for i = 1, #info, 2 do\n"                                 \
	"    if info[i] == 'last-generated-id' then\n"               \
	"      return tonumber(string.match(info[i + 1], '^%d+'))\n" \
	"    end\n"                                                  \
	"  end\n"                                                    \
	"end\n"

/* A stream that never had an entry has taken nothing, whatever stands beside it: it was lost or deleted, and
 * made anew for a group. HLEN refuses what is no hash, and so not ours to delete. */
#define LUA_VOID                                                     \
	"local place = last(KEYS[1])\n"                              \
	"if place == 0 and redis.call('EXISTS', KEYS[2]) == 1 and\n" \
	"  redis.call('HLEN', KEYS[2]) > 0 then\n"                   \
	"  redis.call('DEL', KEYS[2])\n"                             \
	"end\n"

/* Keys: stream, its sources. Argument: source. What it took last from it; nil: nothing. */
static const char script_last[] = LUA_LAST LUA_VOID "return redis.call('HGET', KEYS[2], ARGV[1])\n";

/* Key: stream. XINFO STREAM tells it too, with the first entry and the last one whole, however long they are.
 */
static const char script_end[] = LUA_LAST "return last(KEYS[1])\n";

/*
 * Keys: stream, its sources. Arguments: source, after, the sequence of the last event; then of each event:
 * type, payload, and the metadata up to the place. 0: `after` is not the last of that source.
 */
static const char script_publish[] = LUA_LAST LUA_VOID
	"if tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0) ~= tonumber(ARGV[2]) then return 0 end\n"
	"for i = 4, #ARGV, 3 do\n"
	"  place = place + 1\n"
	"  local text = string.format('%.0f', place)\n"
	"  redis.call('XADD', KEYS[1], text .. '-0', 'event_type', ARGV[i], 'payload', ARGV[i + 1],\n"
	"    'metadata', ARGV[i + 2] .. text .. '}')\n"
	"end\n"
	"redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])\n"
	"return 1\n";

/* Keys: stream, dead letters. Arguments: group, id, type, payload, metadata, dead. Nothing is done to what is
 * not pending any more: it was buried before, by a call whose outcome was not known. */
static const char script_bury[] =
	LUA_LAST "if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end\n"
		 "local id = string.format('%.0f-0', last(KEYS[2]) + 1)\n"
		 "redis.call('XADD', KEYS[2], id, 'event_type', ARGV[3], 'payload', ARGV[4],\n"
		 "  'metadata', ARGV[5], 'dead', ARGV[6])\n"
		 "return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])\n";

/* Keys: stream, dead letters. Arguments: group, id, id of the letter, how long it counts as idle. 0: the one
 * or the other is gone. Its deliveries begin anew. */
static const char script_revive[] =
	"if #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2]) == 0 then return 0 end\n"
	"if #redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3]) == 0 then return 0 end\n"
	"redis.call('XCLAIM', KEYS[1], ARGV[1], 'revived', 0, ARGV[2], 'IDLE', ARGV[4], 'RETRYCOUNT', 0,\n"
	"  'FORCE', 'JUSTID')\n"
	"return redis.call('XDEL', KEYS[2], ARGV[3])\n";

/* Key: stream. Arguments: group, place. What is pending behind it will be delivered as if for the first time.
 * Not beyond the stream's end: what comes next is given in any case. */
static const char script_seek[] =
	LUA_LAST "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n"
		 "local id = string.format('%.0f-0', math.min(tonumber(ARGV[2]), last(KEYS[1])))\n"
		 "redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], id)\n"
		 "while true do\n"
		 "  local rows = redis.call('XPENDING', KEYS[1], ARGV[1], '(' .. id, '+', 1000)\n"
		 "  if #rows == 0 then return 1 end\n"
		 "  local ids = {}\n"
		 "  for i, row in ipairs(rows) do ids[i] = row[1] end\n"
		 "  redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))\n"
		 "end\n";

/* Key: stream. Argument: after how long without a sign of life, in ms, a consumer that has nothing pending is
 * forgotten. One that still lives is made anew by its next read. */
static const char script_forget[] =
	"local function of(row, name)\n"
	"  for i = 1, #row, 2 do if row[i] == name then return row[i + 1] end end\n"
	"end\n"
	"if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n"
	"local count = 0\n"
	"for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do\n"
	"  local name = of(group, 'name')\n"
	"  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], name)) do\n"
	"    if of(consumer, 'pending') == 0 and of(consumer, 'idle') >= tonumber(ARGV[1]) then\n"
	"      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], name, of(consumer, 'name'))\n"
	"      count = count + 1\n"
	"    end\n"
	"  end\n"
	"end\n"
	"return count\n";

#endif
