/* A test-and-set spinlock. Interrupts are off in the hypervisor wherever a lock is held. */
#pragma once

#include "lib/types.h"

struct spinlock {
	u8 taken;
};

static inline void spin_lock(struct spinlock *l)
{
	while (__atomic_test_and_set(&l->taken, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_clear(&l->taken, __ATOMIC_RELEASE);
}
