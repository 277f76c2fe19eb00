# For a GDB that was started by `make gdb`: the CPU stands at the reset vector, in real mode.
# QEMU describes registers as 64-bit from the start; without this GDB disagrees once long mode is on.
set architecture i386:x86-64
set confirm off
set pagination off
set print pretty on

# Page tables are not there yet when the CPU is reset, so software breakpoints would be written into ROM or
# over what is loaded later: hardware ones hold.
hbreak hv_main
commands
  silent
  printf "stopped at hv_main: long mode is on, the hypervisor's C begins\n"
end
continue
