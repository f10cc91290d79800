/*
 * What the kernel can take away from a process, so that whoever gets hold of it has little to work with.
 * Policy is in confine.c; here is how.
 */
#ifndef APP_CONFINE_KERNEL_H
#define APP_CONFINE_KERNEL_H

#include "base/base.h"

enum confined {
	CONFINED,
	CONFINE_UNSUPPORTED, /* this kernel, or the container, has no such thing */
	CONFINE_FAILED,
};

/* No rights by set-user-id programs, no core files, no reading by a debugger of the same user. */
enum confined confine_privileges(void) MUST_USE;

struct confine_path {
	const char
		*path; /* a file, or a folder with all below it; one that does not exist counts as absent */
	bool write;    /* and make and remove files in it; else only to read */
};

/*
 * Landlock (https://docs.kernel.org/userspace-api/landlock.html): from now on these paths and no others,
 * nothing is executed, and no TCP port but this is bound (0: any). For the calling
 * thread and those that it starts: so before any is started. *ret_abi: the kernel's version of Landlock,
 * which says what of this it knows; ports from 4 on.
 */
enum confined confine_files(const struct confine_path *paths, size_t count, int port, int *ret_abi) MUST_USE;

/*
 * seccomp: from now on, in all threads, only the system calls that marca makes. Others fail with ENOSYS, as
 * on a kernel that does not know them, so that a newer C library falls back; those that nothing but an attack
 * would make end the process (SIGSYS).
 */
enum confined confine_calls(void) MUST_USE;

#endif
