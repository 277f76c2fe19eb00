/* A page of device memory, and a vcpu that runs instructions on it. */
#pragma once

#include "fake_vcpu.h"

#define DEV_GPA 0xFEC00000

static u8 dev[PAGE_SIZE];
static unsigned dev_reads, dev_writes, last_size;
static u32 lapic_reg[1024];

static inline u64 dev_read(void *d, u64 offset, unsigned size)
{
	u64 val = 0;

	dev_reads++;
	last_size = size;
	memcpy(&val, dev + offset, size);
	return val;
}

static inline void dev_write(void *d, u64 offset, unsigned size, u64 val)
{
	dev_writes++;
	last_size = size;
	memcpy(dev + offset, &val, size);
}

static const struct mmio_ops dev_ops = {dev_read, dev_write};

u32 lapic_read(struct vcpu *v, u32 offset)
{
	return lapic_reg[offset / 4];
}

void lapic_write(struct vcpu *v, u32 offset, u32 val)
{
	lapic_reg[offset / 4] = val;
}

static inline void setup(unsigned bits)
{
	make_vcpu(bits);
	memset(dev, 0, sizeof(dev));
	memset(lapic_reg, 0, sizeof(lapic_reg));
	dev_reads = dev_writes = 0;
	vm.mmio_count = 1;
	vm.mmio[0] = (struct mmio_range){.base = DEV_GPA, .size = PAGE_SIZE, .ops = &dev_ops};
}

static inline void run(const char *code, size_t len, u64 gpa)
{
	memcpy(ram + vcpu.rip, code, len);
	skipped = 0;
	exit_mmio(&vcpu, gpa);
}

/* Runs code on the device at offset and checks that it was skipped as a whole. */
#define RUN(code, offset)                                                                                    \
	do {                                                                                                 \
		run(code, sizeof(code) - 1, DEV_GPA + (offset));                                             \
		assert_int_equal(skipped, sizeof(code) - 1);                                                 \
		assert_int_equal(exception, -1);                                                             \
	} while (0)

static inline void put(unsigned offset, u64 val)
{
	memcpy(dev + offset, &val, 8);
}

static inline u64 at(unsigned offset)
{
	u64 val;

	memcpy(&val, dev + offset, 8);
	return val;
}
