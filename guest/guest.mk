# Guests of our own, as flat images. Their assembler sees guest/pxhv.h's constants as pxhv.inc.
GUESTS := $(patsubst guest/%.asm,$(BUILD)/guest/%.bin,$(wildcard guest/*.asm))

.PHONY: guests
guests: $(GUESTS)

$(BUILD)/guest/pxhv.inc: guest/pxhv.h
	@mkdir -p $(@D)
	sed -n 's/^#define \(PXHV_[A-Z0-9_]*\)[ \t]*\(0x[0-9A-Fa-f]*\)u.*/\1 equ \2/p' $< > $@

$(BUILD)/guest/%.bin: guest/%.asm $(BUILD)/guest/pxhv.inc
	nasm -f bin -i $(BUILD)/guest/ -l $(@:.bin=.lst) $< -o $@
