# `make bench`: the bench guest under Bochs, its figures beside KVM's, Xen's and the goals.
BENCH_BIN := $(BUILD)/tests/bench/bench.bin

guests: $(BENCH_BIN)

$(BENCH_BIN): tests/bench/bench.asm tests/guests/lib.inc $(BUILD)/guest/pxhv.inc
	@mkdir -p $(@D)
	nasm -f bin -i tests/guests/ -i $(BUILD)/guest/ -l $(@:.bin=.lst) $< -o $@

BENCH = $(PXHV) run --config tests/bench/bench.conf --file $(BENCH_BIN) --file $(BUILD)/bench.img --timeout 120

.PHONY: bench
bench: all $(BENCH_BIN)
	truncate -s 1M $(BUILD)/bench.img
	$(BENCH) --engine bochs --serial-log $(BUILD)/bench.log < /dev/null
	$(BENCH) --engine qemu --count --serial-log $(BUILD)/bench-svm.log < /dev/null
	$(PYTHON) tests/bench/report.py $(BUILD)/bench.log $(BUILD)/bench-svm.log
