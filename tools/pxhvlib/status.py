"""Exit statuses of tools/pxhv, and the exceptions that become them."""

POWEROFF = 0  # or whatever value the guest wrote to its debug-exit port
USAGE = 2
GUEST_DIED = 3
REFUSED = 4  # the hypervisor refused to start or panicked
NO_EMULATOR = 5  # the emulator ended without a verdict, or it or another program is missing
TIMEOUT = 124  # as timeout(1)
INTERRUPTED = 130  # as a shell says of SIGINT; also for Ctrl-] three times


class PxhvError(Exception):
    """Ends the tool with one sentence on stderr and an exit status."""

    status = NO_EMULATOR


class UsageError(PxhvError):
    """The user asked for something that cannot be done as asked."""

    status = USAGE
