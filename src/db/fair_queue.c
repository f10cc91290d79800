/* See fair_queue.h. */
#include "db/fair_queue.h"

void fair_queue_init(struct fair_queue *queue)
{
	*queue = (struct fair_queue){0};
	queue->last = &queue->turn;
	for (size_t i = 0; i < FAIR_LANES; i++)
		queue->lanes[i].end = &queue->lanes[i].oldest;
}

/* The second half of a UUID is the random one in every version. */
static struct fair_lane *lane_of(struct fair_queue *queue, const struct uuid *tenant)
{
	uint64_t half;

	memcpy(&half, tenant->b + 8, sizeof(half));
	return &queue->lanes[half * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FAIR_LANE_BITS)];
}

static void wait_for_turn(struct fair_queue *queue, struct fair_lane *lane)
{
	lane->next = NULL;
	*queue->last = lane;
	queue->last = &lane->next;
}

bool fair_queue_put(struct fair_queue *queue, struct job *job, const struct uuid *tenant)
{
	struct fair_lane *lane = lane_of(queue, tenant);

	if (lane->count >= FAIR_QUEUE_MAX - queue->count) /* it may have as much as is left for the others */
		return false;
	if (lane->count == 0)
		wait_for_turn(queue, lane);
	job->next = NULL;
	*lane->end = job;
	lane->end = &job->next;
	lane->count++;
	queue->count++;
	return true;
}

/* Of the lane whose turn it is. */
static struct job *take_one(struct fair_queue *queue, struct fair_lane *lane)
{
	struct job *job = lane->oldest;

	queue->turn = lane->next;
	if (queue->turn == NULL)
		queue->last = &queue->turn;
	lane->oldest = job->next;
	if (lane->oldest == NULL)
		lane->end = &lane->oldest;
	lane->count--;
	queue->count--;
	if (lane->count > 0)
		wait_for_turn(queue, lane);
	return job;
}

size_t fair_queue_take(struct fair_queue *queue, struct job **jobs, size_t max)
{
	size_t count = 0;

	while (count < max && queue->turn != NULL)
		jobs[count++] = take_one(queue, queue->turn);
	return count;
}
