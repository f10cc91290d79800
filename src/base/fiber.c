/*
 * See fiber.h. makecontext() enters a new stack once; from then on switches go
 * by _setjmp/_longjmp, which make no system call (as in QEMU's coroutine-ucontext.c).
 * AddressSanitizer and ThreadSanitizer are told of each switch.
 */
#undef _FORTIFY_SOURCE /* its longjmp refuses to leave a stack for another, which is the point here */

#include "base/fiber.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define STACK_BYTES ((size_t)256 * 1024)
#define POOL_KEEPS  256

/* One side of a switch: the thread's own stack, or a fiber's. */
struct side {
	jmp_buf at;
	void *fake_stack; /* ASan's */
	const void *stack;
	size_t stack_size;
	void *tsan;
};

struct fiber {
	struct letter letter; /* posted home to be woken */
	struct fiber_pool *pool;
	struct fiber *next; /* in the pool */
	struct side side;
	void (*fn)(void *arg);
	void *arg;
	void *own; /* fiber_own() */
	bool done;
	void *map;
};

struct fiber_pool {
	struct mailbox *home;
	struct fiber *free;
	size_t kept;
	size_t page;
	struct side outside;
};

static _Thread_local struct fiber *current;

/* Inline whatever the compiler thinks: a call of its own would be seen entering on one stack and leaving on
 * another. */
static inline __attribute__((always_inline)) void leave(struct side *from, const struct side *to)
{
	(void)from;
	(void)to;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
#endif
#ifdef WITH_TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
}

/* Now on `self`; `other` is where we came from. */
static void arrive(struct side *self, struct side *other)
{
	(void)self;
	(void)other;
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(self->fake_stack, &other->stack, &other->stack_size);
#endif
}

static void switch_to(struct side *from, struct side *to)
{
	if (_setjmp(from->at) == 0) {
		leave(from, to);
		_longjmp(to->at, 1);
	}
	arrive(from, to);
}

/* The bottom of every fiber's stack. makecontext() passes ints only: the pointer comes in two. */
static void fiber_main(unsigned high, unsigned low)
{
	struct fiber *fiber = (void *)(uintptr_t)((uint64_t)high << 32 | low);
	struct side *outside = &fiber->pool->outside;

	arrive(&fiber->side, outside);
	for (;;) {
		fiber->fn(fiber->arg);
		fiber->done = true;
		switch_to(&fiber->side, outside);
	}
}

static struct fiber *fiber_create(struct fiber_pool *pool)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));
	void *map = mmap(NULL, STACK_BYTES + pool->page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (fiber == NULL || map == MAP_FAILED || mprotect(map, pool->page, PROT_NONE) != 0) {
		if (map != MAP_FAILED)
			munmap(map, STACK_BYTES + pool->page);
		free(fiber);
		return NULL;
	}
	fiber->pool = pool;
	fiber->map = map;
	fiber->side.stack = (char *)map + pool->page;
	fiber->side.stack_size = STACK_BYTES;
#ifdef WITH_TSAN
	fiber->side.tsan = __tsan_create_fiber(0);
#endif
	return fiber;
}

static void fiber_destroy(struct fiber *fiber)
{
#ifdef WITH_TSAN
	__tsan_destroy_fiber(fiber->side.tsan);
#endif
	munmap(fiber->map, STACK_BYTES + fiber->pool->page);
	free(fiber);
}

struct fiber_pool *fiber_pool_create(struct mailbox *home)
{
	struct fiber_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->home = home;
	pool->page = (size_t)sysconf(_SC_PAGESIZE);
	return pool;
}

void fiber_pool_destroy(struct fiber_pool *pool)
{
	struct fiber *next;

	if (pool == NULL)
		return;
	for (struct fiber *f = pool->free; f != NULL; f = next) {
		next = f->next;
		fiber_destroy(f);
	}
	free(pool);
}

static void enter_first(struct fiber *fiber)
{
	struct side *outside = &fiber->pool->outside;
	ucontext_t context;

	getcontext(&context);
	context.uc_stack.ss_sp = (char *)fiber->map + fiber->pool->page;
	context.uc_stack.ss_size = STACK_BYTES;
	context.uc_link = NULL;
	makecontext(&context, (void (*)(void))fiber_main, 2, (unsigned)((uint64_t)(uintptr_t)fiber >> 32),
		    (unsigned)(uintptr_t)fiber);
	if (_setjmp(outside->at) == 0) {
		leave(outside, &fiber->side);
		setcontext(&context);
	}
	arrive(outside, &fiber->side);
}

/* Back outside: the fiber has ended, or it waits. */
static void settle(struct fiber *fiber)
{
	struct fiber_pool *pool = fiber->pool;

	current = NULL;
	if (!fiber->done)
		return;
	if (pool->kept == POOL_KEEPS) {
		fiber_destroy(fiber);
		return;
	}
	fiber->next = pool->free;
	pool->free = fiber;
	pool->kept++;
}

enum rc fiber_run(struct fiber_pool *pool, void (*fn)(void *arg), void *arg)
{
	struct fiber *fiber = pool->free;
	bool first = fiber == NULL;

	if (first) {
		fiber = fiber_create(pool);
		if (fiber == NULL)
			return RC_NO_MEMORY;
	} else {
		pool->free = fiber->next;
		pool->kept--;
	}
#ifdef WITH_TSAN
	pool->outside.tsan = __tsan_get_current_fiber();
#endif
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->own = NULL;
	fiber->done = false;
	current = fiber;
	if (first)
		enter_first(fiber);
	else
		switch_to(&pool->outside, &fiber->side);
	settle(fiber);
	return RC_OK;
}

struct fiber *fiber_self(void)
{
	return current;
}

void **fiber_own(void)
{
	static _Thread_local void *outside;

	return current != NULL ? &current->own : &outside;
}

void fiber_wait(void)
{
	struct fiber *fiber = current;

	switch_to(&fiber->side, &fiber->pool->outside);
}

static void go_on(struct letter *letter)
{
	struct fiber *fiber = CONTAINER_OF(letter, struct fiber, letter);

	current = fiber;
	switch_to(&fiber->pool->outside, &fiber->side);
	settle(fiber);
}

void fiber_wake(struct fiber *fiber)
{
	fiber->letter.open = go_on;
	mailbox_post(fiber->pool->home, &fiber->letter);
}
