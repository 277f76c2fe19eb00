# The guest's DSDT as a C array for hv/load/acpi.c, in the image and in the unit tests alike.
$(BUILD)/load/dsdt_aml.h: hv/load/dsdt.asl
	@mkdir -p $(@D)
	iasl -vs -p $(BUILD)/load/dsdt -tc $< > $(BUILD)/load/dsdt.log || { cat $(BUILD)/load/dsdt.log; false; }
	sed 's/^unsigned char/static const unsigned char/' $(BUILD)/load/dsdt.hex > $@

$(BUILD)/hv/load/acpi.o $(BUILD)/unit/obj/hv/load/acpi.o: $(BUILD)/load/dsdt_aml.h
$(BUILD)/hv/load/acpi.o: CFLAGS += -I$(BUILD)
$(BUILD)/unit/obj/hv/load/acpi.o: UNIT_CFLAGS += -I$(BUILD)
