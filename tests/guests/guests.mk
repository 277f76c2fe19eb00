# Test guests: tests/guests/X.asm becomes build/tests/guests/X.bin. Its first lines say where it goes and what it
# must do: "; run: @ADDR:BITS", "; status: N" (of tools/pxhv) and "; prints: TEXT" (in this order, each line on its own).
TEST_GUESTS := $(patsubst %.asm,$(BUILD)/%.bin,$(filter-out tests/guests/bare.asm,$(wildcard tests/guests/*.asm)))

guests: $(TEST_GUESTS)

$(BUILD)/tests/guests/%.bin: tests/guests/%.asm $(wildcard tests/guests/*.inc) $(BUILD)/guest/pxhv.inc
	@mkdir -p $(@D)
	nasm -f bin -i tests/guests/ -i $(BUILD)/guest/ -l $(@:.bin=.lst) $< -o $@
