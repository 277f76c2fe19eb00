# pxHV: `make help` lists what there is.

BUILD ?= build
CC := gcc
OBJCOPY := objcopy

CFLAGS := -std=gnu11 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-asynchronous-unwind-tables -fno-stack-protector -fomit-frame-pointer -fno-strict-aliasing \
	-fcf-protection=none -ffunction-sections -fdata-sections -fno-common \
	-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter -Ihv -I. -MMD -MP
# GCC's alone: what makes code smaller. The linker sees all of it at once.
SMALL := -flto -mpreferred-stack-boundary=3 -fno-jump-tables -fno-align-functions -fno-align-jumps \
	-fno-align-loops -fno-align-labels -malign-data=abi
LDFLAGS := -flto -flto-partition=one -g -fno-asynchronous-unwind-tables -Oz -nostdlib -static -no-pie \
	-Wl,--gc-sections,--build-id=none -Wl,-z,noexecstack,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T linker.ld

# Code that runs on every exit: speed goes before size; and where inlining is worth its bytes (`make bench` says so).
HOT := hv/vmx/skip.c hv/vmx/exit.c hv/svm/skip.c hv/svm/trace.c hv/vm/bus.c hv/vm/exits.c hv/vm/timer.c \
	hv/vm/inject.c hv/vm/lapic_irq.c
HOT_INLINE := hv/vm/cpuid.c hv/vm/fetch.c hv/vm/mmio.c
FAST := -O2 -fjump-tables
# A function that is called once stays one, for the backtraces' sake: it costs next to nothing. The others of these
# optimizations are for speed, or make more moves and copies here than they save (each was measured).
TINY := -Oz -fno-inline-functions-called-once -fno-tree-loop-im -fno-move-loop-invariants -fno-tree-ch \
	-fno-tree-forwprop -fno-if-conversion -fno-expensive-optimizations -fno-ipa-sra -fno-shrink-wrap \
	-fno-caller-saves -fno-tree-loop-ivcanon -fno-tree-tail-merge

include features.mk

SRC := $(filter-out hv/offsets.c boot/mbr.asm,$(wildcard boot/*.c boot/*.asm hv/*.c hv/*/*.c hv/*/*.asm))
BOOT_INC := $(wildcard boot/*.inc)
object = $(patsubst %,$(BUILD)/%.o,$(1:.c=))
OBJS := $(call object,$(SRC))
LINKED := $(call object,$(filter-out $(LEFT_OUT),$(SRC)))

# Where the image goes. All images of a BUILD are made of the same objects.
IMAGE := $(BUILD)

.PHONY: all core
all: $(IMAGE)/mbr.bin $(IMAGE)/pxhv.bin

core: $(OBJS)
	@$(MAKE) --no-print-directory IMAGE=$(BUILD)/core WITHOUT="$(NOT_IN_CORE)" all

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(CC) $(CFLAGS) $(SMALL) \
		$(if $(filter $<,$(HOT)),$(FAST) -fno-inline-functions,$(if $(filter $<,$(HOT_INLINE)),$(FAST),$(TINY))) -c $< -o $@

$(BUILD)/hv/lib/string.o: CFLAGS += -fno-tree-loop-distribute-patterns

$(BUILD)/offsets.inc: hv/offsets.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -MF $(BUILD)/offsets.d -MT $@ -S $< -o $@.s
	@sed -n 's/.*@@ //p' $@.s > $@

$(BUILD)/%.asm.o: %.asm $(BUILD)/offsets.inc $(BOOT_INC) Makefile
	@mkdir -p $(@D)
	@echo '  NASM  $<'
	@nasm -f elf64 -g -F dwarf -i boot/ -i hv/ -i $(BUILD)/ $< -o $@

$(IMAGE)/mbr.bin: boot/mbr.asm $(BOOT_INC)
	@mkdir -p $(@D)
	@echo '  NASM  $<'
	@nasm -f bin -i boot/ $< -o $@

# Another choice of features links anew.
.PHONY: FORCE
$(IMAGE)/linked: FORCE
	@mkdir -p $(@D)
	@echo $(LINKED) | cmp -s - $@ || echo $(LINKED) > $@

# Linked twice: the first link gives the addresses for the symbol table, which stands behind all text.
$(IMAGE)/pxhv.pre: $(LINKED) $(IMAGE)/linked linker.ld
	@$(CC) $(LDFLAGS) $(LINKED) -o $@

$(IMAGE)/symbols.asm: $(IMAGE)/pxhv.pre tools/mksymbols.py
	@python3 tools/mksymbols.py $< > $@

$(IMAGE)/pxhv.elf: $(IMAGE)/symbols.asm $(LINKED)
	@nasm -f elf64 $< -o $(IMAGE)/symbols.o
	@echo '  LD    $@'
	@$(CC) $(LDFLAGS) $(LINKED) $(IMAGE)/symbols.o -o $@

$(IMAGE)/pxhv.bin: $(IMAGE)/pxhv.elf
	@$(OBJCOPY) -O binary $< $@

# Whichever feature is left out, nothing that stays needs it.
.PHONY: features
features: $(OBJS)
	@python3 tools/features.py $(foreach f,$(FEATURES),$f: $(call object,$(FEATURE_$f))) all: $(OBJS)

.PHONY: clean
clean:
	rm -rf $(BUILD)

include hv/load/load.mk
include guest/guest.mk
include tests/guests/guests.mk
include tests/bench/bench.mk
include tests/unit/unit.mk
include tests/fuzz/fuzz.mk

include tools/front.mk

-include $(OBJS:.o=.d) $(BUILD)/offsets.d
