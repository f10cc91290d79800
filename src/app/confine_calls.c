/* See confine_kernel.h. What is here was seen with strace, on SQLite, PostgreSQL and Redis, or is what the
 * libraries' sources say that they do now and then. */
#include "app/confine_kernel.h"

#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define CALL(name)                    \
	{                             \
		SCMP_SYS(name), #name \
	}

struct call {
	int number; /* negative where this machine has none of that name */
	const char *name;
};

/* clang-format off */
static const struct call allowed[] = {
	/* memory; mmap and mprotect: below */
	CALL(brk), CALL(madvise), CALL(mlock), CALL(mremap), CALL(munlock), CALL(munmap),
	/* threads; clone: below */
	CALL(exit), CALL(exit_group), CALL(futex), CALL(getpid), CALL(gettid), CALL(membarrier), CALL(rseq),
	CALL(sched_getaffinity), CALL(sched_getparam), CALL(sched_getscheduler), CALL(sched_yield), CALL(set_robust_list),
	/* signals; tgkill: below */
	CALL(restart_syscall), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigtimedwait),
	CALL(sigaltstack),
	/* time */
	CALL(alarm), CALL(setitimer), CALL(clock_getres), CALL(clock_gettime), CALL(clock_nanosleep), CALL(gettimeofday), CALL(nanosleep), CALL(time),
	/* waiting */
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(epoll_wait), CALL(eventfd2),
	CALL(pipe2), CALL(poll), CALL(ppoll), CALL(pselect6), CALL(select),
	/* files; Landlock says which */
	CALL(access), CALL(close), CALL(dup), CALL(faccessat), CALL(faccessat2), CALL(fallocate), CALL(fchmod),
	CALL(fchown), CALL(fcntl), CALL(fdatasync), CALL(flock), CALL(fstat), CALL(fsync), CALL(ftruncate),
	CALL(getcwd), CALL(getdents64), CALL(lseek), CALL(lstat), CALL(mkdir), CALL(mkdirat), CALL(newfstatat), CALL(open), CALL(openat),
	CALL(pread64), CALL(preadv), CALL(pwrite64), CALL(pwritev), CALL(read), CALL(readlink), CALL(readlinkat), CALL(readv),
	CALL(rename), CALL(renameat), CALL(stat), CALL(statx), CALL(unlink), CALL(unlinkat), CALL(write), CALL(writev),
	/* network; socket: below. No listen: what listens was opened before. */
	CALL(accept), CALL(accept4), CALL(bind), CALL(connect), CALL(getpeername), CALL(getsockname), CALL(getsockopt),
	CALL(recvfrom), CALL(recvmmsg), CALL(recvmsg), CALL(sendmmsg), CALL(sendmsg), CALL(sendto), CALL(setsockopt),
	CALL(shutdown), CALL(socketpair),
	/* who and where we are */
	CALL(getegid), CALL(geteuid), CALL(getgid), CALL(getppid), CALL(getrandom), CALL(getrusage), CALL(getuid),
	CALL(sysinfo), CALL(uname),
};

/* Nothing that marca, or a library of its, would ever do: other programs, other processes' memory, the
 * machine itself. */
static const struct call deadly[] = {
	CALL(acct), CALL(add_key), CALL(adjtimex), CALL(bpf), CALL(capset), CALL(chroot), CALL(clock_settime),
	CALL(delete_module), CALL(execve), CALL(execveat), CALL(finit_module), CALL(fsconfig), CALL(fsmount), CALL(fsopen),
	CALL(init_module), CALL(ioperm), CALL(iopl), CALL(kcmp), CALL(kexec_file_load), CALL(kexec_load), CALL(keyctl),
	CALL(mknod), CALL(mknodat), CALL(modify_ldt), CALL(mount), CALL(move_mount), CALL(name_to_handle_at),
	CALL(open_by_handle_at), CALL(open_tree), CALL(perf_event_open), CALL(personality), CALL(pidfd_getfd),
	CALL(pivot_root), CALL(process_vm_readv), CALL(process_vm_writev), CALL(ptrace), CALL(reboot), CALL(request_key),
	CALL(setdomainname), CALL(setgid), CALL(setgroups), CALL(sethostname), CALL(setns), CALL(setregid),
	CALL(setresgid), CALL(setresuid), CALL(setreuid), CALL(settimeofday), CALL(setuid), CALL(swapoff), CALL(swapon),
	CALL(umount2), CALL(unshare), CALL(userfaultfd),
};

/* Allowed when the argument, of which only the bits of `mask` count, is this value. Several rows of a call: any. */
static const struct {
	int number;
	unsigned arg;
	uint64_t mask, value;
} conditional[] = {
	/* No memory that can be written and executed, nor made so: code comes from a file (dlopen() of name services), or
	 * not at all. */
	{SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC, 0},
	{SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_WRITE},
	{SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_EXEC},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
	/* Threads, no processes. clone3 keeps its flags in memory, where they cannot be looked at; glibc goes on with
	 * clone when it is told ENOSYS. */
	{SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD},
	/* Limits are read, not set: the new ones are NULL. */
	{SCMP_SYS(prlimit64), 2, UINT64_MAX, 0},
	{SCMP_SYS(prctl), 0, UINT64_MAX, PR_SET_NAME},
	/* Netlink: getaddrinfo() asks which addresses we have. */
	{SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX},
	{SCMP_SYS(socket), 0, UINT64_MAX, AF_INET},
	{SCMP_SYS(socket), 0, UINT64_MAX, AF_INET6},
	{SCMP_SYS(socket), 0, UINT64_MAX, AF_NETLINK},
	{SCMP_SYS(ioctl), 1, UINT64_MAX, FIONBIO},
	{SCMP_SYS(ioctl), 1, UINT64_MAX, FIONREAD},
	{SCMP_SYS(ioctl), 1, UINT64_MAX, FIOCLEX},
	{SCMP_SYS(ioctl), 1, UINT64_MAX, FIONCLEX},
	{SCMP_SYS(ioctl), 1, UINT64_MAX, TCGETS},
};
/* clang-format on */

static bool add(scmp_filter_ctx filter, const struct call *calls, size_t count, uint32_t action)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i].number >= 0 && seccomp_rule_add(filter, action, calls[i].number, 0) != 0)
			return false;
	return true;
}

static bool add_conditional(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_LEN(conditional); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, conditional[i].number, 1,
				     SCMP_CMP64(conditional[i].arg, SCMP_CMP_MASKED_EQ, conditional[i].mask,
						conditional[i].value)) != 0)
			return false;
	/* Signals to ourselves: abort(). */
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_CMP64(0, SCMP_CMP_EQ, (uint64_t)getpid())) == 0;
}

static bool fill(scmp_filter_ctx filter)
{
	return seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
	       seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
	       seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
	       add(filter, allowed, ARRAY_LEN(allowed), SCMP_ACT_ALLOW) && add_conditional(filter) &&
	       add(filter, deadly, ARRAY_LEN(deadly), SCMP_ACT_KILL_PROCESS);
}

enum confined confine_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int error;

	if (filter == NULL || !fill(filter)) {
		seccomp_release(filter);
		return CONFINE_FAILED;
	}
	error = seccomp_load(filter);
	seccomp_release(filter);
	if (error == 0)
		return CONFINED;
	/* libseccomp tells the kernel's own reasons as ECANCELED: EINVAL of a kernel without it is one. */
	return error == -ECANCELED || error == -EOPNOTSUPP ? CONFINE_UNSUPPORTED : CONFINE_FAILED;
}
