/* See traceparent.h. */
#include "http/traceparent.h"

static bool is_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	return true;
}

static bool all_zero(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '0')
			return false;
	return true;
}

/* "00-<32 hex>-<16 hex>-<2 hex>", to which later versions may add. */
bool traceparent_parse(struct str header, struct traceparent *ret)
{
	struct str version = {header.p, 2}, flags;
	struct traceparent found;

	if (header.len < TRACEPARENT_LEN || header.p[2] != '-' || header.p[35] != '-' || header.p[52] != '-')
		return false;
	if (!is_hex(version) || str_equal(version, STR("ff")))
		return false;
	if (header.len > TRACEPARENT_LEN && (str_equal(version, STR("00")) || header.p[55] != '-'))
		return false;
	found.trace_id = (struct str){header.p + 3, 32};
	found.span_id = (struct str){header.p + 36, 16};
	flags = (struct str){header.p + 53, 2};
	if (!is_hex(found.trace_id) || all_zero(found.trace_id) || !is_hex(found.span_id) ||
	    all_zero(found.span_id) || !is_hex(flags))
		return false;
	found.sampled = hex_value(flags.p[1]) & 1;
	*ret = found;
	return true;
}

void traceparent_write(char to[TRACEPARENT_LEN + 1], const char *trace_id, const char *span_id, bool sampled)
{
	memcpy(to, "00-", 3);
	memcpy(to + 3, trace_id, 32);
	to[35] = '-';
	memcpy(to + 36, span_id, 16);
	memcpy(to + 52, sampled ? "-01" : "-00", 4);
}

bool tracestate_good(struct str header)
{
	if (header.len == 0 || header.len > TRACESTATE_MAX)
		return false;
	for (size_t i = 0; i < header.len; i++)
		if (header.p[i] < 0x20 || header.p[i] > 0x7e)
			return false;
	return true;
}
