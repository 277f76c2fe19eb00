# `make bench`: the bench guest under Bochs, its figures beside KVM's, Xen's and the goals.
BENCH_BIN := $(BUILD)/tests/bench/bench.bin

guests: $(BENCH_BIN)

$(BENCH_BIN): tests/bench/bench.asm tests/guests/lib.inc $(BUILD)/guest/pxhv.inc
	@mkdir -p $(@D)
	nasm -f bin -i tests/guests/ -i $(BUILD)/guest/ -l $(@:.bin=.lst) $< -o $@

.PHONY: bench
bench: all $(BENCH_BIN)
	truncate -s 1M $(BUILD)/bench.img
	tools/pxhv --build $(abspath $(BUILD)) run --engine bochs --flat $(BENCH_BIN)@0x100000:64 --disk $(BUILD)/bench.img \
		--serial-log $(BUILD)/bench.log \
		--timeout 120 < /dev/null
	python3 tests/bench/report.py $(BUILD)/bench.log
