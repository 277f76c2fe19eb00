# Test guests: tests/guests/X.asm becomes build/tests/guests/X.bin. Its first lines say where it goes and what it
# must do: "; run: @ADDR:BITS", "; status: N" (of tools/pxhv) and "; prints: TEXT" (in this order, each line on its own).
TEST_GUESTS := $(patsubst %.asm,$(BUILD)/%.bin,$(filter-out tests/guests/bare.asm,$(wildcard tests/guests/*.asm)))

guests: $(TEST_GUESTS)

$(BUILD)/tests/guests/%.bin: tests/guests/%.asm $(wildcard tests/guests/*.inc) $(BUILD)/guest/pxhv.inc
	@mkdir -p $(@D)
	nasm -f bin -i tests/guests/ -i $(BUILD)/guest/ -l $(@:.bin=.lst) $< -o $@

# Kernels for the Multiboot loader, one C file behind three entries.
KERNELS := $(addprefix $(BUILD)/tests/guests/kernel/,multiboot.elf pvh.elf long.elf)
KERNEL_CFLAGS := -std=gnu11 -O1 -g -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none \
	-mgeneral-regs-only -mno-red-zone -fno-asynchronous-unwind-tables -Wall -Wextra -Werror

guests: $(KERNELS)

define TEST_KERNEL
$(BUILD)/tests/guests/kernel/$(1).elf: tests/guests/kernel/$(2).asm tests/guests/kernel/kernel.c \
		tests/guests/kernel/kernel.ld
	@mkdir -p $$(@D)
	nasm -f $(3) -g $$< -o $$(@:.elf=.o)
	$$(CC) $(4) $$(KERNEL_CFLAGS) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -T tests/guests/kernel/kernel.ld \
		$$(@:.elf=.o) tests/guests/kernel/kernel.c -o $$@
endef
$(eval $(call TEST_KERNEL,multiboot,entry32,elf32,-m32))
$(eval $(call TEST_KERNEL,pvh,pvh,elf32,-m32))
$(eval $(call TEST_KERNEL,long,entry64,elf64,-m64))
