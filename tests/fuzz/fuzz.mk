# libFuzzer programs, FUZZ_SECONDS each, from the seeds that seeds.py writes. What they find new stays in
# build/fuzz/corpus-NAME; an input that fails is written to build/fuzz/crash-NAME-*.

FUZZ := $(BUILD)/fuzz
FUZZ_SECONDS ?= 20
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CFLAGS := -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-fno-strict-aliasing -fno-common -Wall -Wextra -Werror -Wno-unused-parameter -Itests/unit/include -Ihv -I.

# The sources that each one needs.
FUZZ_SRC_fat := boot/fat.c boot/fat_dir.c hv/lib/printf.c
FUZZ_SRC_decode := hv/vm/decode.c
FUZZ_SRC_config := boot/config.c boot/config_key.c boot/config_disk.c hv/lib/printf.c
FUZZ_SRC_fw_cfg := hv/dev/fw_cfg.c
FUZZ_SRC_partition := hv/host/partition.c
FUZZ_SRC_virtio := hv/dev/virtio_blk.c hv/dev/virtio_mmio.c hv/dev/virtio_queue.c hv/vm/timer.c
FUZZ_SRC_multiboot := hv/load/multiboot.c hv/load/elf.c hv/load/start.c hv/load/e820.c hv/lib/printf.c
FUZZ_SRC_gdb := $(addprefix hv/debug/gdb_,packet.c regs.c command.c resume.c break.c memory.c) hv/debug/regs.c hv/lib/names.c hv/lib/printf.c
FUZZ_SRC_monitor := $(addprefix hv/debug/,gdb_packet.c mon_command.c mon_say.c mon_info.c mon_mem.c mon_regs.c mon_walk.c mon_exits.c mon_run.c \
	regs.c lineedit.c disasm.c disasm_names.c) hv/vm/decode.c hv/lib/names.c hv/lib/printf.c

.PHONY: fuzz fuzz-deps
fuzz: $(FUZZ_NAMES:%=fuzz-%)	## libFuzzer on all that a guest, a file or GDB sends; FUZZ_SECONDS=20 each
fuzz-deps:
	@tools/install-deps fuzz

.PHONY: $(FUZZ_NAMES:%=fuzz-%)
$(FUZZ_NAMES:%=fuzz-%): fuzz-%: $(FUZZ)/fuzz_% $(FUZZ)/seeds
	@mkdir -p $(FUZZ)/corpus-$* $(FUZZ)/seeds/$*
	@$< -max_total_time=$(FUZZ_SECONDS) -timeout=5 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(FUZZ)/crash-$*- $(FUZZ)/corpus-$* $(FUZZ)/seeds/$* >$(FUZZ)/$*.log 2>&1 || \
		{ tail -60 $(FUZZ)/$*.log; exit 1; }
	@echo "fuzz $*: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(FUZZ)/$*.log) inputs, none failed"

$(FUZZ)/seeds: tests/fuzz/seeds.py
	python3 $< $@

$(FUZZ)/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard boot/*.[ch] hv/*/*.[ch]) tests/fuzz/fuzz.mk | fuzz-deps
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) $< $(FUZZ_SRC_$*) -o $@
