/* Access to the current VMCS. */
#pragma once

#include "lib/types.h"
#include "vmx/vmcs_fields.h"

enum vmcs_field {
#define F(name, encoding) VMCS_##name = (encoding),
	VMCS_FIELDS(F)
#undef F
};

/* Reads a field of the current VMCS. The caller knows that this CPU has it: else the value is anything. */
static inline u64 vmread(enum vmcs_field f)
{
	u64 v;

	__asm__ volatile("vmread %1, %0" : "=r"(v) : "r"((u64)f) : "cc");
	return v;
}

static inline void vmwrite(enum vmcs_field f, u64 v)
{
	__asm__ volatile("vmwrite %0, %1" ::"r"(v), "r"((u64)f) : "cc", "memory");
}

/* The fields of one segment register are two apart in each group, in the order of enum seg. */
#define VMCS_SEG_SELECTOR(s) ((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * (s)))
#define VMCS_SEG_LIMIT(s)    ((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * (s)))
#define VMCS_SEG_AR(s)	     ((enum vmcs_field)(VMCS_GUEST_ES_AR + 2 * (s)))
#define VMCS_SEG_BASE(s)     ((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * (s)))
