# Unit tests: every pure source of the hypervisor, compiled for the PC under ASan and UBSan.
#
# tests/unit/test_X.c becomes one program, linked in this order: the test, every pure source that is called X.c, the
# fakes of support.c and fake_vm.c, and for the rest libhv.a. What comes first wins (muldefs, and the fakes are weak), so a
# test can put a fake of its own in place of anything. `make unit T="fat config"` runs only those two;
# UNIT_SRC="hv/lib/printf.c boot/fat.c ..." leaves sources out that do not compile at the moment.

UNIT := $(BUILD)/unit
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_CFLAGS := -std=gnu11 -O1 -g $(UNIT_SAN) -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	-ffunction-sections -fdata-sections -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers \
	-Itests/unit/include -Itests/unit -Ihv -I. -MMD -MP
UNIT_LDFLAGS := $(UNIT_SAN) -Wl,--gc-sections,-z,muldefs

# Sources in these folders that are not pure would be listed here.
UNIT_EXCLUDE :=
UNIT_SRC := $(filter-out $(UNIT_EXCLUDE),$(wildcard hv/lib/printf.c hv/lib/names.c hv/lib/civil.c hv/lib/keymap.c hv/lib/exception.c \
	hv/dev/*.c hv/load/*.c hv/vm/*.c boot/disk.c boot/fat*.c boot/config*.c boot/e820.c hv/host/memmap.c hv/host/mtrr.c hv/host/drive.c hv/host/ata.c \
	hv/host/drive_usb.c hv/host/keyboard.c hv/host/usb_device.c hv/host/xhci.c hv/host/pci.c hv/host/drive_ahci.c hv/host/drive_ata.c hv/host/drive_virtio.c \
	hv/host/partition.c hv/host/acpi_tables.c hv/debug/gdb_packet.c hv/debug/gdb_regs.c hv/debug/regs.c hv/debug/lineedit.c hv/debug/disasm.c \
	hv/debug/disasm_names.c \
	$(addprefix hv/debug/mon_,command.c say.c info.c mem.c regs.c walk.c exits.c run.c chain.c) hv/debug/gdb_memory.c hv/debug/gdb_step.c))
UNIT_OBJ := $(UNIT_SRC:%.c=$(UNIT)/obj/%.o)

T ?= $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_TESTS := $(T:%=$(UNIT)/test_%)

# No leak check: what a VM owns lives as long as the VM, and most tests end before it. Page leaks are counted by
# fake_pages_used.
.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do ASAN_OPTIONS=detect_leaks=0 timeout 120 $$t || \
		{ echo "$$t failed ($$?)"; exit 1; }; done

$(UNIT)/obj/%.o: %.c tests/unit/unit.mk
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(CC) $(UNIT_CFLAGS) -c $< -o $@

# The C library has these names already, and the sanitizers need theirs.
UNIT_STRING := memcpy memmove memset memcmp strlen strcmp strncmp strchr
$(UNIT)/obj/hv/lib/string.o: UNIT_CFLAGS += $(foreach f,$(UNIT_STRING),-D$f=hv_$f)

$(UNIT)/libhv.a: $(UNIT_OBJ)
	@rm -f $@
	@ar rcs $@ $^

# What is referred to by weak symbols alone (features.mk) does not come out of libhv.a by itself.
$(UNIT)/test_config_key: UNIT_LDFLAGS += -Wl,-u,config_set_disk
$(UNIT)/test_i8042: UNIT_LDFLAGS += -Wl,-u,keys_byte
$(UNIT)/test_monitor: UNIT_LDFLAGS += -Wl,-u,monitor_command
$(UNIT)/test_virtio_mmio $(UNIT)/test_virtio_queue: UNIT_LDFLAGS += -Wl,-u,virtio_blk_create

# A bare % would become the stem too early.
PERCENT := %

.SECONDEXPANSION:
$(UNIT)/test_%: $(UNIT)/obj/tests/unit/test_%.o $$(filter $$(PERCENT)/$$*.o,$(UNIT_OBJ) $(UNIT)/obj/hv/lib/string.o) \
		$(UNIT)/obj/tests/unit/support.o $(UNIT)/obj/tests/unit/fake_vm.o $(UNIT)/libhv.a
	@$(CC) $(UNIT_LDFLAGS) $^ -lcmocka -o $@

.PRECIOUS: $(UNIT)/obj/%.o
-include $(UNIT_OBJ:.o=.d) $(wildcard $(UNIT)/obj/tests/unit/*.d) $(UNIT)/obj/hv/lib/string.d
