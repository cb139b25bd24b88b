// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Part of arch/um/os-Linux/smp.c of the kernel that selftests/vm/uml builds.
 *
 * A CPU that disables interrupts goes on getting the signals that are IPIs,
 * and notes them, as it does with timers and I/O. To block the signals takes
 * two system calls of the host each time, which are most of what such a kernel
 * does, if lockdep is on.
 */

static __thread unsigned int ipis_noted;

/* Only this CPU clears bits, and it may be interrupted by a handler. */
int os_ipis_noted(void)
{
	return __atomic_load_n(&ipis_noted, __ATOMIC_RELAXED) != 0;
}

static void run_noted(void)
{
	unsigned int noted = __atomic_exchange_n(&ipis_noted, 0,
						 __ATOMIC_RELAXED);

	while (noted) {
		uml_ipi_handler(__builtin_ctz(noted));
		noted &= noted - 1;
	}
}

/* What comes while interrupts are off is run before they stay on. */
void os_run_ipis(void)
{
	while (os_ipis_noted()) {
		signals_enabled = 0;
		um_trace_signals_off();
		run_noted();
		um_trace_signals_on();
		signals_enabled = 1;
		barrier();
	}
}

static void ipi_sig_handler(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	__atomic_fetch_or(&ipis_noted, 1U << info->si_value.sival_int,
			  __ATOMIC_RELAXED);
	if (signals_enabled)
		os_run_ipis();
	errno = saved;
}
