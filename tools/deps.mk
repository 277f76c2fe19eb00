# Packages: tools/packages.txt is the one list of them.
DEPS ?= run guest debian gdb test lint fuzz

.PHONY: deps doctor
deps:	## install the packages that all targets need (DEPS="run guest" for some)
	@tools/install-deps $(DEPS)

doctor:	## what this PC can run, and what is missing
	@tools/pxhv doctor
