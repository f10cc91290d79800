/* See uuid.h. */
#include "base/uuid.h"

struct uuid uuid_v7(const struct world *world, utime now)
{
	uint64_t millis = (uint64_t)(now / 1000);
	unsigned fraction = (unsigned)(now % 1000) * 4096 / 1000;
	struct uuid id;

	world->random(world, id.b, sizeof(id.b));
	for (int i = 5; i >= 0; i--, millis >>= 8)
		id.b[i] = (uint8_t)millis;
	/* RFC 9562, 6.2, method 3: the first twelve bits after the version are the millisecond's fraction. */
	id.b[6] = (uint8_t)(0x70 | fraction >> 8);
	id.b[7] = (uint8_t)fraction;
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(struct str text, struct uuid *ret)
{
	struct uuid id;
	size_t byte = 0;
	int high, low;

	if (text.len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < UUID_TEXT_LEN;) {
		if (is_dash(i)) {
			if (text.p[i++] != '-')
				return false;
			continue;
		}
		high = hex_value(text.p[i]);
		low = hex_value(text.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		id.b[byte++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	*ret = id;
	return true;
}

char *uuid_text(char buf[UUID_TEXT_LEN + 1], const struct uuid *id)
{
	hex_text(buf, id->b, 4);
	buf[8] = '-';
	hex_text(buf + 9, id->b + 4, 2);
	buf[13] = '-';
	hex_text(buf + 14, id->b + 6, 2);
	buf[18] = '-';
	hex_text(buf + 19, id->b + 8, 2);
	buf[23] = '-';
	hex_text(buf + 24, id->b + 10, 6);
	buf[UUID_TEXT_LEN] = '\0';
	return buf;
}
