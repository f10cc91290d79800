/* See overlap.h. Both questions are one sweep over the starts with a heap of ends. */
#include "calendar/overlap.h"

/* The earliest end is at[0]; each is no later than those at 2i+1 and 2i+2. */
struct heap {
	utime *at;
	size_t count;
};

static void heap_push(struct heap *heap, utime end)
{
	size_t i = heap->count++;

	while (i > 0 && heap->at[(i - 1) / 2] > end) {
		heap->at[i] = heap->at[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->at[i] = end;
}

/* Puts `end` in the place of the earliest. */
static void heap_replace(struct heap *heap, utime end)
{
	size_t i = 0, child;

	for (child = 1; child < heap->count; child = 2 * i + 1) {
		if (child + 1 < heap->count && heap->at[child + 1] < heap->at[child])
			child++;
		if (heap->at[child] >= end)
			break;
		heap->at[i] = heap->at[child];
		i = child;
	}
	heap->at[i] = end;
}

static void heap_pop(struct heap *heap)
{
	utime last = heap->at[--heap->count];

	if (heap->count > 0)
		heap_replace(heap, last);
}

static void append(struct spans *spans, struct span span)
{
	struct span *last = spans->items + spans->count;

	if (span.start >= span.end)
		return;
	if (spans->count == 0 || last[-1].end < span.start)
		spans->items[spans->count++] = span;
	else if (last[-1].end < span.end)
		last[-1].end = span.end;
}

enum rc overlap_full(struct arena *arena, const struct busy *busy, struct spans *ret)
{
	size_t capacity = (size_t)busy->capacity;
	struct spans full = {0};
	struct heap latest = {0};

	if (busy->count < capacity) {
		*ret = full;
		return RC_OK;
	}
	full.items = arena_array(arena, busy->count, sizeof(*full.items));
	latest.at = arena_array(arena, capacity, sizeof(*latest.at));
	if (full.items == NULL || latest.at == NULL)
		return RC_NO_MEMORY;
	/*
	 * Of the bookings that have begun keep the `capacity` latest ends: as long as the
	 * earliest of these has not come, so many bookings overlap.
	 */
	for (size_t i = 0; i < busy->count; i++) {
		struct span span = busy->spans[i];

		if (span.start >= span.end)
			continue;
		if (latest.count < capacity)
			heap_push(&latest, span.end);
		else if (span.end > latest.at[0])
			heap_replace(&latest, span.end);
		if (latest.count == capacity)
			append(&full, (struct span){span.start, latest.at[0]});
	}
	*ret = full;
	return RC_OK;
}

enum rc overlap_check(struct arena *arena, const struct busy *busy, struct span wanted)
{
	struct spans full;
	enum rc rc = overlap_full(arena, busy, &full);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < full.count; i++) {
		if (span_overlaps(full.items[i], wanted))
			return RC_CONFLICT;
	}
	return RC_OK;
}

enum rc overlap_peak(struct arena *arena, const struct busy *busy, struct span wanted, size_t *ret)
{
	struct heap active = {.at = arena_array(arena, busy->count, sizeof(utime))};
	size_t peak = 0;

	if (active.at == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < busy->count; i++) {
		struct span span = busy->spans[i];

		if (span.start >= span.end || !span_overlaps(span, wanted))
			continue;
		/* Those that end before `wanted` begins never got in. */
		while (active.count > 0 && active.at[0] <= span.start)
			heap_pop(&active);
		heap_push(&active, span.end);
		if (active.count > peak)
			peak = active.count;
	}
	*ret = peak;
	return RC_OK;
}
