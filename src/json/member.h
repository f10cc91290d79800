/* Where a field's value lies in its object. For the files of this room that fill objects in. */
#ifndef JSON_MEMBER_H
#define JSON_MEMBER_H

#include "json/shape.h"

static inline void *member_of(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

/* The bits of the fields that were sent. */
static inline uint64_t *has_of(const struct shape *shape, void *object)
{
	return (uint64_t *)(void *)((char *)object + shape->has_offset);
}

/* Every field to its default, or "none"; nothing was sent. */
void shape_reset(const struct shape *shape, void *object);

#endif
